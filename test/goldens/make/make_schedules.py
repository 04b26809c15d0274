"""Writes schedules/schedules.json: the learning rates of 45 updates by transformers' schedules with their arguments.

python3 make_schedules.py > ../schedules/schedules.json"""

import json

import torch
from transformers.optimization import get_scheduler

RATE, UPDATES, WARMUP, TOTAL = 0.01, 45, 5, 40
CASES = [
    ("cosine", {"num_cycles": 1.25}, WARMUP),
    ("cosine_with_restarts", {"num_cycles": 3}, WARMUP),
    ("polynomial", {"lr_end": 1e-3, "power": 2.5}, WARMUP),
    ("inverse_sqrt", {"timescale": 7}, WARMUP),
    ("cosine_with_min_lr", {"min_lr": 2e-3}, WARMUP),
    ("cosine_with_min_lr", {"min_lr_rate": 0.1, "min_lr": None, "num_cycles": 0.75}, WARMUP),
    ("cosine_with_min_lr", {"min_lr_rate": 0.1}, 0),
    ("cosine_warmup_with_min_lr", {"min_lr_rate": 0.1}, WARMUP),
    ("cosine_warmup_with_min_lr", {"min_lr": 1e-3, "warmup_lr_rate": 0.3, "num_cycles": 1}, WARMUP),
    ("cosine_warmup_with_min_lr", {"min_lr": 1e-3, "warmup_lr_rate": 0.3}, 1),
    ("warmup_stable_decay", {"num_decay_steps": 10}, WARMUP),
    ("warmup_stable_decay", {"num_decay_steps": 35, "decay_type": "linear", "min_lr_ratio": 0.2}, WARMUP),
    ("warmup_stable_decay", {"num_decay_steps": 10, "num_stable_steps": 8, "decay_type": "1-sqrt",
                             "warmup_type": "1-sqrt", "min_lr_ratio": 0.05}, WARMUP),
    ("warmup_stable_decay", {"num_decay_steps": 12, "warmup_type": "cosine", "num_cycles": 1.5}, WARMUP),
    ("warmup_stable_decay", {"num_decay_steps": 0}, 0),
]


def rates(kind, arguments, warmup):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)
    scheduler = get_scheduler(kind, optimizer, warmup, TOTAL, arguments)
    out = []
    for _ in range(UPDATES):
        out.append(round(scheduler.get_last_lr()[0], 11))
        optimizer.step()
        scheduler.step()
    return out


cases = [{"lr_scheduler_type": kind, "lr_scheduler_kwargs": arguments, "warmup_steps": warmup,
          "rates": rates(kind, arguments, warmup)} for kind, arguments, warmup in CASES]
lines = ",\n".join(json.dumps(case) for case in cases)
print(f'{{"learning_rate": {RATE}, "updates": {TOTAL}, "cases": [\n{lines}\n]}}')
