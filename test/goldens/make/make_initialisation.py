#!/usr/bin/env python3
"""What transformers begins new models with: initialisation.json has, for each model, the tensors of its file, their shapes, and what each holds:
a constant, or normally distributed numbers of a standard deviation (after the cut, where they are cut), with a row of zeros for padding where there is one.

Usage: make_initialisation.py GOLDENS   (GOLDENS is test/goldens, whose configurations are read)
"""

import json
import math
import pathlib
import sys
import tempfile

import torch
import transformers
from safetensors.torch import load_file
from transformers import initialization

MODELS = """bert-mlm bert-classify bert-pretraining bert-qa bert-mlm-untied albert-mlm roberta-mlm xlm-roberta-classify distilbert-mlm electra-mlm
electra-discriminator deberta-mlm deberta-v2-mlm deberta-v2-conv modernbert-mlm modernbert-classify mpnet-mlm bart-classify
decoders/bloom decoders/cohere decoders/falcon decoders/falcon-new decoders/gemma decoders/gemma2 decoders/gemma3 decoders/gpt-neox decoders/gpt2 decoders/gptj
decoders/llama decoders/llama-gqa decoders/mistral decoders/mixtral decoders/openai-gpt decoders/phi3 decoders/qwen2 decoders/qwen2-moe
decoders/qwen3 decoders/starcoder2
encoder-decoders/bart encoder-decoders/blenderbot encoder-decoders/m2m-100 encoder-decoders/marian encoder-decoders/mbart encoder-decoders/mt5
encoder-decoders/pegasus encoder-decoders/switch encoder-decoders/t5 encoder-decoders/umt5""".split()

# Random numbers become a mark of their deviation: no constant is as large.
MARK = 1000.0


def marked(tensor, mean=0.0, std=1.0, *rest, **more):
    with torch.no_grad():
        return tensor if getattr(tensor, "_is_hf_initialized", False) else tensor.fill_(MARK + std)


def marked_as_cut(tensor, mean=0.0, std=1.0, a=-2.0, b=2.0, **more):
    cut = b / std
    density = math.exp(-cut * cut / 2) / math.sqrt(2 * math.pi)
    return marked(tensor, std=std * math.sqrt(1 - 2 * cut * density / math.erf(cut / math.sqrt(2))))


def described(tensor):
    rows = tensor.reshape(tensor.shape[0], -1) if tensor.dim() > 1 else tensor[None]
    first = float(rows[0, 0] if float(rows[0, 0]) else rows[-1, -1])
    if first < MARK / 2:
        assert bool((tensor == first).all()), tensor
        return {"constant": first}
    zeros = [i for i in range(len(rows)) if bool((rows[i] == 0).all())]
    assert len(zeros) <= 1 and bool((rows[[i for i in range(len(rows)) if i not in zeros]] == first).all()), tensor
    return {"deviation": round(first - MARK, 6), **({"padding": zeros[0]} if zeros else {})}


def main():
    goldens = pathlib.Path(sys.argv[1])
    initialization.normal_ = marked
    initialization.trunc_normal_ = marked_as_cut
    torch.nn.init.normal_ = marked
    result = {"transformers": transformers.__version__}
    for name in MODELS:
        folder = goldens / name
        config = transformers.AutoConfig.from_pretrained(folder)
        torch.set_default_dtype(torch.float64)
        model = getattr(transformers, config.architectures[0])(config)
        torch.set_default_dtype(torch.float32)
        with tempfile.TemporaryDirectory() as out:
            model.save_pretrained(out)
            file = load_file(pathlib.Path(out) / "model.safetensors")
        if config.model_type in ("marian", "pegasus"):
            # Of sines, which need no file.
            file = {k: v for k, v in file.items() if not k.endswith("embed_positions.weight")}
        result[name] = {k: {"shape": list(v.shape), **described(v.double())} for k, v in sorted(file.items())}
        print(name, len(file), file=sys.stderr)
    lines = ",\n".join(f" {json.dumps(k)}: {json.dumps(v)}" for k, v in result.items())
    (goldens / "initialisation.json").write_text("{\n" + lines + "\n}\n", encoding="utf-8")


main()
