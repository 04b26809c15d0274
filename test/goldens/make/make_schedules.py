"""Writes schedules/schedules.json: the learning rates of 45 updates by transformers' schedules with their arguments,
and those of groups of parameters after each of 60 evaluations by its schedules that follow a metric.

python3 make_schedules.py > ../schedules/schedules.json"""

import json
import random

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


METRICS, GROUPS = 60, [0.01, 0.004]
DOWN, BOTH = "reduce_lr_on_plateau", "greedy"
FOLLOWING = [
    (DOWN, dict(patience=1)),
    (DOWN, dict(factor=0.7, patience=0, threshold=0.03, eps=5e-5, min_lr=None)),
    (DOWN, dict(factor=0.6, patience=2, threshold=0.05, threshold_mode="abs", cooldown=3, min_lr=[4e-4, 2e-3])),
    (DOWN, dict(mode="max", factor=0.5, patience=5, threshold=0.02, min_lr=1e-3)),
    (DOWN, dict(mode="max", factor=0.8, patience=4, threshold=0, threshold_mode="abs", cooldown=1, eps=6e-4)),
    (BOTH, dict(patience=4)),
    (BOTH, dict(factor=0.5, patience=1, min_lr=[1e-3, 5e-4], max_lr=[0.05, 0.004], reset_start=3)),
    (BOTH, dict(factor=0.6, patience=1, threshold=0.02, threshold_mode="rel", cooldown=2, warmup=1, min_lr=1e-5,
                smooth=True, window_size=4)),
    (BOTH, dict(mode="max", factor=0.7, patience=1, threshold=0.01, threshold_mode="rel", warmup=2, min_lr=5e-4,
                max_lr=0.02, reset_start=1, eps=1e-5, smooth=True, window_size=2)),
]


def series():
    """Metrics that fall, rise, stay and are no number."""
    draw = random.Random(7)
    value, out = 1.2, []
    for i in range(METRICS):
        value += draw.uniform(*(-0.12, 0.06) if i < 12 else (-0.06, 0.17) if i < 36 else (-0.2, 0.09))
        out.append(float("nan") if i == 47 else round(value, 2))
    return out


def following(kind, arguments, metrics):
    """[evaluations before, rates] where the rates change."""
    optimizer = torch.optim.SGD([dict(params=[torch.nn.Parameter(torch.zeros(1))], lr=rate) for rate in GROUPS])
    scheduler = get_scheduler(kind, optimizer, 5, TOTAL, {k: v for k, v in arguments.items() if v is not None})
    out = [[0, GROUPS]]
    for i, metric in enumerate(metrics):
        scheduler.step(metric)
        rates = [group["lr"] for group in optimizer.param_groups]
        if rates != out[-1][1]:
            out.append([i + 1, rates])
    return out


cases = [{"lr_scheduler_type": kind, "lr_scheduler_kwargs": arguments, "warmup_steps": warmup,
          "rates": rates(kind, arguments, warmup)} for kind, arguments, warmup in CASES]
lines = ",\n".join(json.dumps(case) for case in cases)
metrics = series()
told = json.dumps([None if metric != metric else metric for metric in metrics])
more = ",\n".join(json.dumps(dict(lr_scheduler_type=kind, lr_scheduler_kwargs=arguments,
                                  rates=following(kind, arguments, metrics))) for kind, arguments in FOLLOWING)
print(f'{{"learning_rate": {RATE}, "updates": {TOTAL}, "cases": [\n{lines}\n],\n"metrics": {told},\n'
      f'"following": [\n{more}\n]}}')
