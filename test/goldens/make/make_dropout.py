"""Writes dropout.json: for each model's configuration, how often transformers drops something in a
pass of training, by the key of config.json that the probability comes from (the others being 0), and
without any such key. Run where this repository's folder test/goldens is the working directory."""

import json
import os

import torch
import transformers
from transformers import AutoConfig

FOLDERS = """albert-classify albert-groups albert-mlm albert-pretraining albert-qa bart-classify bert-classify
bert-mlm bert-pretraining bert-qa bert-tokens deberta-absolute deberta-classify deberta-mlm deberta-qa
deberta-v2-classify deberta-v2-conv deberta-v2-mlm distilbert-classify distilbert-mlm distilbert-qa
distilbert-tokens electra-classify electra-discriminator electra-tokens gte-classify gte-mlm mbart-qa
modernbert-classify modernbert-mlm modernbert-qa modernbert-tokens mpnet-classify mpnet-mlm mpnet-tokens
nomic-bert-classify nomic-bert-mlm roberta-classify roberta-mlm roberta-tokens xlm-roberta-classify
decoders/bloom decoders/cohere decoders/falcon decoders/falcon-alibi decoders/falcon-new decoders/gemma
decoders/gemma2 decoders/gemma3 decoders/gpt-neox decoders/gpt2 decoders/gptj decoders/llama
decoders/mistral decoders/mixtral decoders/openai-gpt decoders/phi3 decoders/qwen2 decoders/qwen2-moe
decoders/qwen3 decoders/qwen3-moe decoders/starcoder2 encoder-decoders/bart encoder-decoders/blenderbot
encoder-decoders/m2m-100 encoder-decoders/marian encoder-decoders/mbart encoder-decoders/mt5
encoder-decoders/pegasus encoder-decoders/t5 encoder-decoders/umt5""".split()

uses = 0
drop = torch.nn.functional.dropout


def counted(x, p=0.5, training=True, inplace=False):
    global uses
    uses += 1 if training and p > 0 else 0
    return drop(x, p, training, inplace)


def count(config, raw):
    """The uses of dropout in a pass of six tokens."""
    global uses
    model = getattr(transformers, raw["architectures"][0])._from_config(
        config, attn_implementation="eager"
    )
    model.train()
    eos = raw.get("eos_token_id")
    ids = torch.tensor([[5, 6, 7, 8, 9, eos if isinstance(eos, int) else 2]])
    targets = {"labels": ids} if type(model).__name__.endswith(("ConditionalGeneration", "MTModel")) else {}
    uses = 0
    model(input_ids=ids, **targets)
    return uses


def is_dropout(key, value):
    return ("drop" in key and "layerdrop" not in key) and not isinstance(value, (bool, str, list, dict))


torch.nn.functional.dropout = counted
found = {}
for folder in FOLDERS:
    raw = json.load(open(os.path.join(folder, "config.json")))
    keys = [k for k, v in AutoConfig.from_pretrained(folder).to_dict().items() if is_dropout(k, v)]
    each = {}
    for key in sorted(keys):
        config = AutoConfig.from_pretrained(folder)
        for k in keys:
            setattr(config, k, 0.5 if k == key else 0.0)
        each[key] = count(config, raw)
    left = {k: v for k, v in raw.items() if k not in keys}
    each["none"] = count(AutoConfig.for_model(**left), raw)
    found[folder] = each
with open("dropout.json", "w") as out:
    json.dump({"transformers": transformers.__version__, "uses": found}, out, separators=(",", ":"))
    out.write("\n")
