#!/usr/bin/env python3
"""Golden data for generation's settings: what transformers' own order of processors makes of scores by random settings.

Usage: make_generation.py OUT_DIR
"""

import json
import pathlib
import random
import sys

import torch
import transformers
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel
from transformers import GenerationConfig

VOCABULARY = 48


def settings(r):
    """Some settings at random; those that samplers need are always there, for defaults depend on the version."""
    ids = lambda n: [r.randrange(VOCABULARY) for _ in range(n)]
    all_of_them = {
        "min_length": lambda: r.randrange(1, 20),
        "min_new_tokens": lambda: r.randrange(1, 9),
        "repetition_penalty": lambda: r.choice([0.8, 1.2, 1.7]),
        "no_repeat_ngram_size": lambda: r.randrange(1, 4),
        "bad_words_ids": lambda: [ids(1), ids(2), ids(1)],
        "sequence_bias": lambda: [[ids(1), 2.5], [ids(2), -3.0], [ids(1), -1.25]],
        "suppress_tokens": lambda: ids(4),
        "begin_suppress_tokens": lambda: ids(4),
        "exponential_decay_length_penalty": lambda: [r.randrange(0, 4), 1.15],
        "remove_invalid_values": lambda: True,
        "renormalize_logits": lambda: True,
    }
    sampling = {
        "temperature": lambda: r.choice([0.3, 0.7, 1.5]),
        "top_k": lambda: r.choice([0, 3, 10]),
        "top_p": lambda: r.choice([0.2, 0.75, 0.95]),
        "min_p": lambda: r.choice([0.02, 0.2]),
        "typical_p": lambda: r.choice([0.2, 0.6, 0.9]),
        "epsilon_cutoff": lambda: 0.01,
        "eta_cutoff": lambda: 0.02,
        "top_h": lambda: r.choice([0.3, 0.7]),
    }
    made = {k: f() for k, f in all_of_them.items() if r.random() < 0.3}
    made |= {"do_sample": r.random() < 0.7, "num_beams": r.choice([1, 1, 3]), "top_k": 0}
    if made["do_sample"]:
        made |= {k: f() for k, f in sampling.items() if r.random() < 0.35}
    made["eos_token_id"] = sorted(set(ids(r.randrange(1, 3))))
    if r.random() < 0.1:
        made["forced_eos_token_id"] = made["eos_token_id"][:1]
    return made


def processors(folder):
    torch.manual_seed(3)
    r = random.Random(4)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=VOCABULARY, n_embd=8, n_layer=1, n_head=1))
    tensors, cases = {}, []
    for i in range(80):
        made = settings(r)
        # transformers makes the forbidden end NaN there.
        if "min_length" in made or "min_new_tokens" in made:
            made.pop("exponential_decay_length_penalty", None)
        length = r.randrange(2, 16)
        prompt = r.randrange(1, length)
        made["max_length"] = length + (1 if "forced_eos_token_id" in made and r.random() < 0.6 else 4)
        # Few different tokens, so that n-grams and bad words occur.
        row = torch.randint(0, VOCABULARY, (1, length)) if r.random() < 0.4 else torch.randint(0, 6, (1, length))
        if "bad_words_ids" in made:
            made["bad_words_ids"][1][0] = int(row[0, -1])
        if "sequence_bias" in made:
            made["sequence_bias"][1][0][0] = int(row[0, -1])
            if len({tuple(b[0]) for b in made["sequence_bias"]}) < 3:
                del made["sequence_bias"]
        scores = (torch.randn(1, VOCABULARY) * 3).log_softmax(-1)
        config = GenerationConfig(**made)
        model._prepare_special_tokens(config, kwargs_has_attention_mask=True, device="cpu")
        made_list = model._get_logits_processor(config, input_ids_seq_length=prompt, device="cpu")
        tensors[f"in.{i}.scores"] = scores[0]
        tensors[f"out.{i}"] = made_list(row, scores.clone())[0]
        cases.append({"prompt_length": prompt, "ids": row[0].tolist(), "generation_config": made})
    folder.mkdir(parents=True, exist_ok=True)
    save_file({k: v.contiguous().clone() for k, v in tensors.items()}, str(folder / "expected.safetensors"))
    about = {"torch": torch.__version__, "transformers": transformers.__version__, "cases": cases}
    (folder / "case.json").write_text(json.dumps(about) + "\n", encoding="utf-8")


if __name__ == "__main__":
    processors(pathlib.Path(sys.argv[1]) / "generation-settings")
