#!/usr/bin/env python3
"""A small nomic-embed-text-v2-moe, of which transformers has no class: its layers in plain torch by the published model's description, what they give, and
the gradients of the experts.

    python3 make_nomic_experts.py

Needs torch. Writes ../nomic-experts.json: config.json, the tensors' axes, and for each case what differs and what comes out. Number i of a tensor is
u / 2^23 * scale, where u is the upper 24 bits, less 2^23, of murmur3's mix of crc32(name) + i * 0x9E3779B9; the scale is a power of 2 by the name, and
the weights of norms have 1 added. In case "no-bias" the experts' biases are 0.
"""
import json
import math
import zlib
from pathlib import Path

import numpy
import torch
from torch.nn.functional import cross_entropy, gelu, layer_norm, linear

HIDDEN, INNER, LAYERS, HEADS, EXPERTS, LABELS = 32, 45, 4, 4, 4, 3
CONFIG = {"activation_function": "gelu", "architectures": ["NomicBertForSequenceClassification"], "attn_pdrop": 0.0, "causal": False, "dense_seq_output": True,
          "embd_pdrop": 0.0, "expert_choice_router": False, "ffn_div": 1, "fused_bias_fc": True, "fused_dropout_add_ln": True, "initializer_range": 0.02,
          "layer_norm_epsilon": 1e-05, "max_trained_positions": 2048, "mlp_fc1_bias": True, "mlp_fc2_bias": True, "model_type": "nomic_bert",
          "moe_every_n_layers": 2, "moe_impl": "megablocks", "moe_normalize_expert_weights": False, "moe_resid_pdrop": 0.0, "moe_top_k": 2,
          "n_embd": HIDDEN, "n_head": HEADS, "n_inner": INNER, "n_layer": LAYERS, "n_positions": 24, "num_experts": EXPERTS, "num_labels": LABELS,
          "num_shared_experts": 0, "pad_token_id": 1, "pad_vocab_size_multiple": 8, "parallel_block": False, "parallel_block_tied_norm": False, "prenorm": False,
          "qkv_proj_bias": True, "reorder_and_upcast_attn": False, "resid_pdrop": 0.0, "rotary_emb_base": 10000, "rotary_emb_fraction": 1.0,
          "rotary_emb_interleaved": False, "rotary_emb_scale_base": None, "rotary_scaling_factor": None, "router_aux_loss_coef": 0.1,
          "scale_attn_by_inverse_layer_idx": False, "scale_attn_weights": True, "torch_dtype": "float32", "type_vocab_size": 1, "use_cache": True,
          "use_flash_attn": True, "use_rms_norm": False, "use_xentropy": True, "vocab_size": 33}
IDS = [[0, 16, 36, 29, 8, 12, 9, 2], [0, 33, 5, 31, 2]]
LABEL = [2, 0]
COLUMNS = [0, 9, 18, 31]
CASES = {"experts": {}, "normalized": {"moe_normalize_expert_weights": True}, "no-bias": {}, "top-1": {"moe_top_k": 1},
         "dense": {"num_experts": 0, "mlp_fc1_bias": False, "qkv_proj_bias": False}}


def number(name, *shape):
    i = numpy.arange(math.prod(shape), dtype=numpy.uint64)
    x = (zlib.crc32(name.encode()) + i * 0x9E3779B9).astype(numpy.uint32)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        x = (x ^ (x >> shift)) * numpy.uint32(factor)
    norm = "norm" in name or "emb_ln" in name
    scale = 1 if "embeddings" in name else 0.5 if "router" in name else 0.125 if norm else 0.25
    y = ((x >> 8).astype(numpy.float64) - 2**23) / 2**23 * scale + (norm and name.endswith("weight"))
    return torch.tensor(y, dtype=torch.float32).reshape(shape)


def sparse(c, i):
    return c["num_experts"] > 0 and i % c["moe_every_n_layers"] == 1


def shapes(c):
    rows = -(-c["vocab_size"] // c["pad_vocab_size_multiple"]) * c["pad_vocab_size_multiple"]
    yield "embeddings.word_embeddings.weight", (rows, HIDDEN)
    yield "embeddings.token_type_embeddings.weight", (1, HIDDEN)
    layers = [("emb_ln", (HIDDEN,), True)]
    for i in range(LAYERS):
        at = f"encoder.layers.{i}."
        layers += [(at + "attn.Wqkv", (3 * HIDDEN, HIDDEN), c["qkv_proj_bias"]), (at + "attn.out_proj", (HIDDEN, HIDDEN), c["qkv_proj_bias"]),
                   (at + "norm1", (HIDDEN,), True), (at + "norm2", (HIDDEN,), True)]
        if sparse(c, i):
            layers += [(at + "mlp.router.layer", (EXPERTS, HIDDEN), False)]
            yield from ((at + "mlp.experts.mlp.w1", (EXPERTS * INNER, HIDDEN)), (at + "mlp.experts.mlp.w2", (EXPERTS * INNER, HIDDEN)),
                        (at + "mlp.experts.bias", (HIDDEN,)))
        else:
            layers += [(at + "mlp.fc1", (INNER, HIDDEN), c["mlp_fc1_bias"]), (at + "mlp.fc2", (HIDDEN, INNER), c["mlp_fc2_bias"])]
    layers += [("pooler.dense", (HIDDEN, HIDDEN), True), ("classifier", (LABELS, HIDDEN), True)]
    for name, shape, bias in layers:
        yield name + ".weight", shape
        if bias:
            yield name + ".bias", shape[:1]


def turned(x):
    size = x.shape[-1]
    angles = torch.outer(torch.arange(x.shape[0]), 10000.0 ** (-torch.arange(0, size, 2) / size)).unsqueeze(1)
    a, b = x.chunk(2, -1)
    return torch.cat((a * angles.cos() - b * angles.sin(), b * angles.cos() + a * angles.sin()), -1)


def mixture(c, w, at, x):
    scores = linear(x, w[at + "router.layer.weight"])
    first = scores.topk(c["moe_top_k"] + 1).values
    assert (first[:, -2] - first[:, -1]).min() > 0.01, "an expert is chosen by a hair"
    weights, chosen = scores.softmax(-1).topk(c["moe_top_k"])
    if c["moe_normalize_expert_weights"]:
        weights = weights / weights.sum(-1, keepdim=True)
    first, second = (w[at + f"experts.mlp.w{i}"].view(EXPERTS, INNER, HIDDEN) for i in (1, 2))
    rows = []
    for token in range(len(x)):
        one = sum(weights[token, k] * (gelu(x[token] @ first[e].T) @ second[e]) for k, e in enumerate(chosen[token]))
        rows.append(one + w[at + "experts.bias"])
    return torch.stack(rows)


def hidden(c, w, ids):
    def layer(name, x):
        return linear(x, w[name + ".weight"], w.get(name + ".bias"))

    def norm(name, x):
        return layer_norm(x, (HIDDEN,), w[name + ".weight"], w[name + ".bias"], c["layer_norm_epsilon"])

    x = norm("emb_ln", w["embeddings.word_embeddings.weight"][ids] + w["embeddings.token_type_embeddings.weight"][0])
    for i in range(LAYERS):
        at = f"encoder.layers.{i}."
        q, k, v = (part.reshape(len(ids), HEADS, -1) for part in layer(at + "attn.Wqkv", x).chunk(3, -1))
        scores = torch.einsum("ihd,jhd->hij", turned(q), turned(k)) / math.sqrt(q.shape[-1])
        attended = torch.einsum("hij,jhd->ihd", scores.softmax(-1), v).reshape(len(ids), HIDDEN)
        x = norm(at + "norm1", layer(at + "attn.out_proj", attended) + x)
        y = mixture(c, w, at + "mlp.", x) if sparse(c, i) else layer(at + "mlp.fc2", gelu(layer(at + "mlp.fc1", x)))
        x = norm(at + "norm2", y + x)
    return x, layer("classifier", torch.tanh(layer("pooler.dense", x[0])))


def main():
    torch.set_num_threads(1)
    cases = {}
    for name, changed in CASES.items():
        c = {**CONFIG, **changed}
        w = {key: number(key, *shape).requires_grad_() for key, shape in shapes(c)}
        if name == "no-bias":
            w = {key: torch.zeros_like(x) if key.endswith("experts.bias") else x for key, x in w.items()}
        states, logits = zip(*(hidden(c, w, ids) for ids in IDS))
        loss = cross_entropy(torch.stack(logits), torch.tensor(LABEL))
        cases[name] = {"set": changed, "tensors": None if c["num_experts"] else dict(shapes(c)),
                       "states": [round(x, 5) for x in torch.cat(states)[:, COLUMNS].flatten().tolist()],
                       "logits": [round(x, 6) for x in torch.stack(logits).flatten().tolist()], "loss": loss.item()}
        if name == "experts":
            loss.backward()
            cases[name]["gradients"] = {key: [round(y.item(), 7) for y in (x.grad.norm(), (x.grad.flatten() * torch.arange(1, x.numel() + 1).cos()).sum())]
                                        for key, x in w.items() if ".mlp." in key or "word_embeddings" in key}
    out = {"torch": torch.__version__, "config": CONFIG, "tensors": dict(shapes(CONFIG)), "ids": IDS, "labels": LABEL, "columns": COLUMNS, "cases": cases}
    path = Path(__file__).resolve().parent.parent / "nomic-experts.json"
    path.write_text(json.dumps(out, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
