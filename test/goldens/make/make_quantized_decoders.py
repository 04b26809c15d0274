#!/usr/bin/env python3
"""Golden data of decoders whose linear layers are quantised as AutoGPTQ and AutoAWQ save them: what transformers computes with the
weights that the codes mean, made as the other decoders' is.

Usage: make_quantized_decoders.py OUT_DIR [--only NAME ...]
"""

import json
import pathlib
import sys

import numpy as np
import transformers
from safetensors.numpy import load_file, save_file

import make_golden
from make_decoder_goldens import dec
from make_quantized import AWQ_ORDER, quantise, words

CASES = {
    "llama-gptq": dec("LlamaForCausalLM", "LlamaConfig", 61, num_key_value_heads=2, head_dim=16),
    "qwen2-gptq-act-order": dec("Qwen2ForCausalLM", "Qwen2Config", 62, num_key_value_heads=2, intermediate_size=96),
    "mistral-awq": dec("MistralForCausalLM", "MistralConfig", 63, num_key_value_heads=2, sliding_window=4),
}
CONFIGS = {
    "llama-gptq": {"quant_method": "gptq", "bits": 4, "group_size": 32, "desc_act": False, "sym": True,
                   "checkpoint_format": "gptq"},
    "qwen2-gptq-act-order": {"quant_method": "gptq", "bits": 8, "group_size": 32, "desc_act": True, "sym": False,
                             "checkpoint_format": "gptq"},
    "mistral-awq": {"quant_method": "awq", "bits": 4, "group_size": 32, "zero_point": True, "version": "gemm",
                    "modules_to_not_convert": ["lm_head"]},
}


def quantised(tensors, config):
    """The tensors as the method saves them, and what they mean."""
    rng = np.random.default_rng(5)
    stored, meant, orders = {}, {}, {}
    gptq, bits = config["quant_method"] == "gptq", config["bits"]
    for key, value in tensors.items():
        module = key.removesuffix(".weight")
        if not key.endswith("proj.weight"):
            stored[key] = meant[key] = value
            continue
        inside = value.shape[1]
        groups = np.arange(inside) // config["group_size"]
        if config.get("desc_act"):
            # Layers with the same input have the same order.
            shared = module.rsplit(".", 1)[0] if "o_proj" not in module and "down_proj" not in module else module
            order = orders.setdefault(shared, rng.permutation(inside))
            groups = np.empty(inside, np.int64)
            groups[order] = np.arange(inside) // config["group_size"]
        first = 1 if gptq else 0
        codes, scales, zeros, values = quantise(value.astype(np.float64), bits, groups, config.get("sym", False), first,
                                                np.float16)
        meant[key] = values.astype(np.float32)
        assert np.array_equal(meant[key], values)
        stored[module + ".scales"] = scales.T
        if gptq:
            stored[module + ".qweight"] = words(codes, bits).T
            stored[module + ".qzeros"] = words(zeros.T - first, bits)
            stored[module + ".g_idx"] = groups.astype(np.int32)
        else:
            stored[module + ".qweight"] = words(codes.T, bits, AWQ_ORDER)
            stored[module + ".qzeros"] = words(zeros.T, bits, AWQ_ORDER)
    return {k: np.ascontiguousarray(v) for k, v in stored.items()}, meant


def main():
    root = pathlib.Path(sys.argv[1])
    save = transformers.PreTrainedModel.save_pretrained
    codes = {}

    def save_what_codes_mean(model, folder, **settings):
        save(model, folder, **settings)
        path = str(folder / "model.safetensors")
        codes[folder.name], meant = quantised(load_file(path), CONFIGS[folder.name])
        save_file(meant, path, metadata={"format": "pt"})

    transformers.PreTrainedModel.save_pretrained = save_what_codes_mean
    make_golden.main(CASES)
    for name, tensors in codes.items():
        save_file(tensors, str(root / name / "model.safetensors"), metadata={"format": "pt"})
        path = root / name / "config.json"
        config = {**json.loads(path.read_text()), "quantization_config": CONFIGS[name]}
        path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
