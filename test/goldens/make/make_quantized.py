#!/usr/bin/env python3
"""Small BERT directories whose linear layers are quantised as AutoGPTQ, GPTQModel and AutoAWQ save them.

Each folder has config.json with its quantization_config, model.safetensors, and expected.safetensors with inputs and what the
model gives in float64 with the weights that the codes mean. The encoder below is plain numpy; before anything is written it is
compared with what Hugging Face transformers gave for the golden bert-classify. Needs numpy only.

Usage: make_quantized.py OUT_DIR
"""

import json
import math
import pathlib
import struct
import sys

import numpy as np

HIDDEN, HEADS, INNER, VOCAB, POSITIONS, LABELS = 64, 4, 256, 40, 16, 3
LAYER = "bert.encoder.layer.0."
QUERY, KEY, VALUE = (LAYER + "attention.self." + n for n in ("query", "key", "value"))
ATTENTION, INTERMEDIATE, OUTPUT = LAYER + "attention.output.dense", LAYER + "intermediate.dense", LAYER + "output.dense"
POOLER = "bert.pooler.dense"
LINEAR = [QUERY, KEY, VALUE, ATTENTION, INTERMEDIATE, OUTPUT, POOLER]
AWQ_ORDER = [0, 2, 4, 6, 1, 3, 5, 7]
DTYPES = {"F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4"}


def write_safetensors(path, tensors):
    header, blobs, at = {}, [], 0
    for name, array in tensors.items():
        dtype = next(d for d, code in DTYPES.items() if array.dtype == np.dtype(code))
        blob = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [at, at + len(blob)]}
        blobs.append(blob)
        at += len(blob)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def read_safetensors(path):
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8:8 + length]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            raw = np.frombuffer(data[8 + length + begin:8 + length + end], DTYPES[entry["dtype"]])
            tensors[name] = raw.reshape(entry["shape"])
    return tensors


def norm(x, w, name, eps):
    mean = x.mean(-1, keepdims=True)
    return (x - mean) / np.sqrt(((x - mean) ** 2).mean(-1, keepdims=True) + eps) * w[name + ".weight"] + w[name + ".bias"]


def bert(config, weights, ids, mask, types):
    """Hidden states and logits of BertForSequenceClassification in float64."""
    w = {name: value.astype(np.float64) for name, value in weights.items()}
    linear = lambda x, name: x @ w[name + ".weight"].T + w[name + ".bias"]
    eps, heads = config["layer_norm_eps"], config["num_attention_heads"]
    e = "bert.embeddings."
    x = w[e + "word_embeddings.weight"][ids] + w[e + "token_type_embeddings.weight"][types]
    x = norm(x + w[e + "position_embeddings.weight"][:ids.shape[1]], w, e + "LayerNorm", eps)
    states = [x]
    erf = np.vectorize(math.erf)
    for i in range(config["num_hidden_layers"]):
        layer = f"bert.encoder.layer.{i}."
        split = lambda t: t.reshape(*t.shape[:2], heads, -1).transpose(0, 2, 1, 3)
        q, k, v = (split(linear(x, layer + "attention.self." + n)) for n in ("query", "key", "value"))
        scores = q @ k.transpose(0, 1, 3, 2) / math.sqrt(q.shape[-1])
        scores = np.where(mask[:, None, None, :] == 1, scores, -np.inf)
        p = np.exp(scores - scores.max(-1, keepdims=True))
        context = (p / p.sum(-1, keepdims=True) @ v).transpose(0, 2, 1, 3).reshape(x.shape)
        x = norm(x + linear(context, layer + "attention.output.dense"), w, layer + "attention.output.LayerNorm", eps)
        inner = linear(x, layer + "intermediate.dense")
        inner = inner * 0.5 * (1 + erf(inner / math.sqrt(2)))
        x = norm(x + linear(inner, layer + "output.dense"), w, layer + "output.LayerNorm", eps)
        states.append(x)
    return states, linear(np.tanh(linear(x[:, 0], "bert.pooler.dense")), "classifier")


def check_the_encoder(folder):
    expected = read_safetensors(folder / "expected.safetensors")
    config = json.loads((folder / "config.json").read_text())
    mask = expected["in.attention_mask"]
    types = expected.get("in.token_type_ids", np.zeros_like(mask))
    states, logits = bert(config, read_safetensors(folder / "model.safetensors"), expected["in.input_ids"], mask, types)
    assert np.abs(logits - expected["out.logits"]).max() < 1e-5
    for i, state in enumerate(states):
        assert (np.abs(state - expected[f"out.hidden_states.{i}"]) * mask[..., None]).max() < 1e-5


def quantise(w, bits, groups, middle, zeros_from, scale_dtype):
    """Codes [out, in], scales [out, groups], zeros [out, groups] and what they mean [out, in], rounded to nearest.

    groups: each input feature's group; middle: zero points are the middle code; zeros_from: the smallest zero point."""
    most = 2 ** bits - 1
    count = groups.max() + 1
    codes, meant = np.zeros(w.shape, np.int64), np.zeros(w.shape)
    scales, zeros = np.zeros((len(w), count), scale_dtype), np.zeros((len(w), count), np.int64)
    for g in range(count):
        part = w[:, groups == g]
        if middle:
            scale = np.abs(part).max(1) / (most // 2)
            zero = np.full(len(w), 2 ** (bits - 1))
        else:
            low, high = np.minimum(part.min(1), 0), np.maximum(part.max(1), 0)
            scale = (high - low) / most
            zero = np.rint(-low / scale).astype(np.int64) + zeros_from
        scale = scale.astype(scale_dtype)
        wide = scale.astype(np.float64)[:, None]
        code = np.clip(np.rint(part / wide) + zero[:, None], 0, most).astype(np.int64)
        codes[:, groups == g], scales[:, g], zeros[:, g] = code, scale, zero
        meant[:, groups == g] = wide * (code - zero[:, None])
    return codes, scales, zeros, meant


def words(numbers, bits, order=None):
    """Joins neighbours on the last axis into I32 words, the first in the lowest bits, or those that order names."""
    each = 32 // bits
    assert numbers.min() >= 0 and numbers.max() < 2 ** bits
    parts = numbers.reshape(*numbers.shape[:-1], -1, each)
    total = np.zeros(parts.shape[:-1], np.uint64)
    for i in range(each):
        total |= parts[..., order[i] if order else i].astype(np.uint64) << np.uint64(bits * i)
    return total.astype(np.uint32).view(np.int32)


def base(rng):
    """Weights of a random encoder, and inputs."""
    w = {}
    put = lambda name, *shape, scale=0.15, shift=0.0: w.__setitem__(
        name, (shift + scale * rng.standard_normal(shape)).astype(np.float16))
    e = "bert.embeddings."
    put(e + "word_embeddings.weight", VOCAB, HIDDEN)
    put(e + "position_embeddings.weight", POSITIONS, HIDDEN)
    put(e + "token_type_embeddings.weight", 2, HIDDEN)
    for name in (e + "LayerNorm", LAYER + "attention.output.LayerNorm", LAYER + "output.LayerNorm"):
        put(name + ".weight", HIDDEN, shift=1.0)
        put(name + ".bias", HIDDEN)
    for name in LINEAR:
        out, inside = {INTERMEDIATE: (INNER, HIDDEN), OUTPUT: (HIDDEN, INNER)}.get(name, (HIDDEN, HIDDEN))
        put(name + ".weight", out, inside)
        put(name + ".bias", out, scale=0.1)
        # Channels of one sign, so that zero points reach both ends.
        w[name + ".weight"][0] = -np.abs(w[name + ".weight"][0])
        w[name + ".weight"][9] = np.abs(w[name + ".weight"][9])
    put("classifier.weight", LABELS, HIDDEN)
    put("classifier.bias", LABELS)
    ids = rng.integers(0, VOCAB, (3, 13))
    mask = (np.arange(13) < np.array([13, 10, 7])[:, None]).astype(np.int64)
    types = np.broadcast_to((np.arange(13) > 6).astype(np.int64), (3, 13))
    return w, ids, mask, types


def build(root, name, method, bits, group, *, middle=False, act_order=False, own_orders=False, v2=False, zero_point=True,
          dense=(POOLER,), scale_dtype=np.float16):
    rng = np.random.default_rng(sum(name.encode()))
    weights, ids, mask, types = base(rng)
    stored, meant = {}, dict(weights)
    orders = {}
    for key, value in weights.items():
        module = key.removesuffix(".weight")
        if module not in LINEAR or module in dense or not key.endswith(".weight"):
            stored[key] = value
            continue
        out, inside = value.shape
        size = inside if group == -1 else min(group, inside)
        groups = np.arange(inside) // size
        if act_order:
            # Layers with the same input have the same order, but where each is quantised for itself.
            shared = "self" if module in (QUERY, KEY, VALUE) and not own_orders else module
            order = orders.setdefault(shared, rng.permutation(inside))
            groups = np.empty(inside, np.int64)
            groups[order] = np.arange(inside) // size
        first = 1 if method == "gptq" and not v2 else 0
        codes, scales, zeros, values = quantise(value.astype(np.float64), bits, groups, middle, first, scale_dtype)
        meant[key] = values
        stored[module + ".scales"] = scales.T
        if method == "gptq":
            stored[module + ".qweight"] = words(codes, bits).T
            stored[module + ".qzeros"] = words(zeros.T - first, bits)
            stored[module + ".g_idx"] = groups.astype(np.int32)
        else:
            stored[module + ".qweight"] = words(codes.T, bits, AWQ_ORDER)
            if zero_point:
                stored[module + ".qzeros"] = words(zeros.T, bits, AWQ_ORDER)
    quantization = {"quant_method": method, "bits": bits, "group_size": group}
    if method == "gptq":
        quantization.update(desc_act=act_order, sym=middle, checkpoint_format="gptq_v2" if v2 else "gptq")
    else:
        quantization.update(zero_point=zero_point, version="gemm", modules_to_not_convert=list(dense))
    config = {
        "architectures": ["BertForSequenceClassification"], "model_type": "bert", "hidden_act": "gelu", "hidden_size": HIDDEN,
        "id2label": {str(i): f"LABEL_{i}" for i in range(LABELS)}, "intermediate_size": INNER, "layer_norm_eps": 1e-12,
        "max_position_embeddings": POSITIONS, "num_attention_heads": HEADS, "num_hidden_layers": 1, "type_vocab_size": 2,
        "vocab_size": VOCAB, "quantization_config": quantization}
    states, logits = bert(config, meant, ids, mask, types)
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
    write_safetensors(folder / "model.safetensors", stored)
    expected = {"in.input_ids": ids, "in.attention_mask": mask, "in.token_type_ids": types, "out.logits": logits.astype("<f4")}
    for i, state in enumerate(states):
        expected[f"out.hidden_states.{i}"] = state.astype("<f4")
    write_safetensors(folder / "expected.safetensors", expected)


def main():
    root = pathlib.Path(sys.argv[1])
    check_the_encoder(pathlib.Path(__file__).parents[1] / "bert-classify")
    build(root, "gptq-sym", "gptq", 4, 128, middle=True)
    build(root, "gptq-asym", "gptq", 4, 64, dense=())
    build(root, "gptq-act-order", "gptq", 4, 32, act_order=True)
    build(root, "gptq-act-order-apart", "gptq", 4, 32, middle=True, act_order=True, own_orders=True, dense=(POOLER, VALUE))
    build(root, "gptq-v2", "gptq", 4, 32, v2=True)
    build(root, "gptq-float-scales", "gptq", 4, 64, scale_dtype=np.float32)
    build(root, "gptq-channel", "gptq", 4, -1)
    build(root, "gptq-8-sym", "gptq", 8, 64, middle=True, act_order=True)
    build(root, "gptq-8-asym", "gptq", 8, -1)
    build(root, "awq", "awq", 4, 32)
    build(root, "awq-sym", "awq", 4, 64, middle=True, zero_point=False)


if __name__ == "__main__":
    main()
