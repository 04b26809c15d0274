#!/usr/bin/env python3
"""Writes gradient-sums.json: of goldens without a gradients.safetensors, for each parameter whose
gradient is not all 0 the norm of the gradient g of the loss, and the sum of g[i] cos(i + 1),
which tells places apart. Writes switch-updates.json: updates by AdamW and their losses.
Run where this repository's folder test/goldens is the working directory."""

import json

import torch
import transformers
from safetensors.torch import load_file

FOLDERS = [
    "decoders/gemma3",
    "decoders/qwen3",
    "decoders/qwen3-moe",
    "decoders/falcon-new",
    # Whose scores of padding are part of the loss.
    "deberta-qa",
    "deberta-v2-qa",
]
INPUTS = (
    "input_ids",
    "attention_mask",
    "token_type_ids",
    "labels",
    "start_positions",
    "end_positions",
)

sums = {}
for folder in FOLDERS:
    config = json.load(open(folder + "/config.json"))
    model = getattr(transformers, config["architectures"][0]).from_pretrained(
        folder, attn_implementation="eager"
    )
    model = model.eval()
    golden = load_file(folder + "/expected.safetensors")
    routers = {"output_router_logits": True} if "out.aux_loss" in golden else {}
    given = {name: golden["in." + name] for name in INPUTS if "in." + name in golden}
    loss = model(**given, **routers).loss
    assert abs(loss.item() - golden["out.loss"].item()) < 1e-4, (folder, loss, golden["out.loss"])
    loss.backward()
    each = sums[folder] = {}
    for name, parameter in model.named_parameters():
        if parameter.grad is not None and parameter.grad.abs().max() > 0:
            g = parameter.grad.double().flatten()
            places = torch.arange(1, len(g) + 1, dtype=torch.float64)
            each[name] = [float("%.7g" % x) for x in (g.norm(), (g * places.cos()).sum())]
with open("gradient-sums.json", "w") as out:
    json.dump(sums, out, separators=(",", ":"))
    out.write("\n")

BATCHES = [([5, 9, 2], [7, 2]), ([33, 60, 71, 12, 2], [18, 90, 2]), ([44, 2], [3, 2])]
model = transformers.SwitchTransformersForConditionalGeneration.from_pretrained(
    "encoder-decoders/switch"
).eval()
groups = [{"params": [p], "weight_decay": 0.1 * (p.dim() > 1)} for p in model.parameters()]
# By this epsilon gradients near 0 count little.
optimizer = torch.optim.AdamW(groups, lr=1e-2, eps=1e-3)
steps = []
for source, labels in BATCHES * 3:
    loss = model(input_ids=torch.tensor([source]), labels=torch.tensor([labels])).loss
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    model.zero_grad()
    steps.append([source, labels, round(loss.item(), 5)])
with open("switch-updates.json", "w") as out:
    json.dump(steps, out, separators=(",", ":"))
    out.write("\n")
