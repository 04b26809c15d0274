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
from transformers.modeling_outputs import CausalLMOutput

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


class Table(GPT2LMHeadModel):
    """A language model whose logits are a row of a table that the last two tokens choose."""

    def forward(self, input_ids=None, **_):
        before = torch.cat([torch.zeros_like(input_ids[:, :1]), input_ids[:, :-1]], 1)
        return CausalLMOutput(logits=self.table[(input_ids * 31 + before * 17) % len(self.table)])


def beams(folder):
    """Beam search over tables, by every setting that it has."""
    r = random.Random(8)
    torch.manual_seed(8)
    cases = []
    for i in range(70):
        vocabulary = r.choice([5, 11])
        model = Table(GPT2Config(vocab_size=vocabulary, n_embd=8, n_layer=1, n_head=1, bos_token_id=0, eos_token_id=0))
        # The case keeps them in units of 1/1024; ties between continuations would leave their order open.
        model.table = (torch.randn(13, vocabulary) * r.choice([0.5, 1.5])).mul(1024).round().div(1024)
        n = r.randrange(2, 5)
        made = {
            "num_beams": n,
            "num_return_sequences": r.randrange(1, n + 1),
            "length_penalty": r.choice([-1.0, 0.0, 0.7, 1.0, 2.0]),
            "early_stopping": r.choice([True, False, "never"]),
            "max_new_tokens": r.randrange(1, 12),
            "eos_token_id": r.choice([[1], [1, 2], [3]]),
        }
        if r.random() < 0.3:
            made["no_repeat_ngram_size"] = 2
        if r.random() < 0.3:
            made["repetition_penalty"] = 1.4
        if r.random() < 0.3:
            made["min_new_tokens"] = r.randrange(1, 6)
        prompt = [r.randrange(vocabulary) for _ in range(r.randrange(1, 5))]
        out = model.generate(
            torch.tensor([prompt]), attention_mask=torch.ones(1, len(prompt)), use_cache=False, do_sample=False, top_k=0,
            pad_token_id=0, return_dict_in_generate=True, output_scores=True, **made)
        # What follows the first end of text is padding.
        rows = []
        for row in out.sequences[:, len(prompt):].tolist():
            end = [j for j, t in enumerate(row) if t in made["eos_token_id"]]
            rows.append(row[: end[0] + 1] if end else row)
        cases.append({"table": model.table.mul(1024).int().tolist(), "prompt": prompt, "generation_config": made, "sequences": rows,
                      "sequences_scores": out.sequences_scores.tolist()})
    folder.mkdir(parents=True, exist_ok=True)
    about = {"torch": torch.__version__, "transformers": transformers.__version__, "cases": cases}
    (folder / "case.json").write_text(json.dumps(about) + "\n", encoding="utf-8")


if __name__ == "__main__":
    out = pathlib.Path(sys.argv[1])
    processors(out / "generation-settings")
    beams(out / "beam-search")
