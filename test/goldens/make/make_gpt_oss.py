#!/usr/bin/env python3
"""Golden data of gpt-oss as it is published: the experts' weights in blocks of MXFP4, everything else in bf16.

The numbers of a random model are first made such that these types hold them exactly; transformers then computes with them in
float32. Biases of the experts are large, so that the activation clamps.

Usage: make_gpt_oss.py OUT_DIR
"""

import json
import pathlib
import sys

import torch
import transformers
from safetensors.torch import load_file, save_file
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

import make_golden
from make_golden import DEC, spec

EXPERTS = ("gate_up_proj", "down_proj")
packed = {}


class GptOssForCausalLM(transformers.GptOssForCausalLM):
    def save_pretrained(self, folder, **settings):
        random = torch.Generator().manual_seed(5)
        with torch.no_grad():
            for name, p in self.named_parameters():
                if name.endswith(EXPERTS):
                    experts, inputs, outputs = p.shape
                    blocks = torch.randint(0, 256, (experts, outputs, inputs // 32, 16), generator=random, dtype=torch.uint8)
                    scales = torch.randint(121, 125, (experts, outputs, inputs // 32), generator=random, dtype=torch.uint8)
                    packed[name] = (blocks, scales)
                    p.copy_(convert_moe_packed_tensors(blocks, scales, dtype=torch.float32))
                else:
                    if name.endswith("gate_up_proj_bias"):
                        p.mul_(40)
                    p.copy_(p.bfloat16().float())
        super().save_pretrained(folder, **settings)


def main(root):
    transformers.GptOssForCausalLM = GptOssForCausalLM
    case = spec("GptOssForCausalLM", "GptOssConfig", "clm", seed=71, grads=False, generate=True, **{
        **DEC, "max_position_embeddings": 131072, "num_key_value_heads": 2, "head_dim": 8, "sliding_window": 4,
        "num_local_experts": 3, "num_experts_per_tok": 2})
    make_golden.build("gpt-oss", case, root)
    folder = root / "gpt-oss"
    tensors = {}
    for name, x in load_file(folder / "model.safetensors").items():
        if name in packed:
            tensors[name + "_blocks"], tensors[name + "_scales"] = packed[name]
        else:
            tensors[name] = x.bfloat16()
    save_file(tensors, str(folder / "model.safetensors"), metadata={"format": "pt"})
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config["quantization_config"] = {"quant_method": "mxfp4", "modules_to_not_convert": [
        "model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"]}
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
