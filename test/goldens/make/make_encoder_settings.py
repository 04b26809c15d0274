#!/usr/bin/env python3
"""The ids that transformers generates by settings that look at what an encoder read, and others that encoder-decoders come with.

    python3 make_encoder_settings.py

Needs torch and transformers. Reads models of ../encoder-decoders and ../decoders, and writes ../encoder-settings/case.json: for each model, settings with a
prompt and the ids. Prompts are drawn until the settings change the ids, so that none is without effect.
"""
import json
from pathlib import Path

import torch
import transformers

GOLDENS = Path(__file__).resolve().parent.parent
OUT = GOLDENS / "encoder-settings" / "case.json"
LENGTH = 16
BEAMS = {"num_beams": 4}
SETTINGS = [
    {"encoder_no_repeat_ngram_size": 1},
    {"encoder_no_repeat_ngram_size": 2},
    {"encoder_repetition_penalty": 1.7},
    {"encoder_repetition_penalty": 0.4, "repetition_penalty": 1.2},
    {**BEAMS, "encoder_no_repeat_ngram_size": 2, "no_repeat_ngram_size": 3},
    {**BEAMS, "encoder_repetition_penalty": 1.5, "length_penalty": 2.0, "early_stopping": True},
    {"forced_bos_token_id": 7, "forced_eos_token_id": 2},
    # Where the first token is forced they are of the second.
    {"forced_bos_token_id": 7, "begin_suppress_tokens": list(range(8, 101))},
    {"begin": [5, 9], "min_length": 8},
    {**BEAMS, "begin": [31, 8, 9], "length_penalty": 0.5, "forced_bos_token_id": 7},
]


def generate(model, prompt, kw, setting):
    """As model.generate, but for the penalty of what was read beside beams: the release named below gives it to the first beam alone, whose number of rows it
    takes for that of all. Here each beam gets it, by the library's own processor, which nothing else comes before."""
    setting = dict(setting)
    if "begin" in setting:
        setting["decoder_input_ids"] = torch.tensor([[model.config.decoder_start_token_id, *setting.pop("begin")]])
    if "num_beams" in setting and "encoder_repetition_penalty" in setting:
        read = prompt.expand(setting["num_beams"], -1)
        penalty = transformers.EncoderRepetitionPenaltyLogitsProcessor(setting.pop("encoder_repetition_penalty"), read)
        setting["logits_processor"] = transformers.LogitsProcessorList([penalty])
    return model.generate(prompt, **kw, **setting)[0].tolist()


def main():
    torch.set_num_threads(1)
    out = {}
    for name in ["encoder-decoders/t5", "encoder-decoders/bart", "encoder-decoders/marian", "decoders/gpt2"]:
        decoder = name.startswith("decoders")
        auto = transformers.AutoModelForCausalLM if decoder else transformers.AutoModelForSeq2SeqLM
        model = auto.from_pretrained(GOLDENS / name, attn_implementation="eager").eval()
        gen = torch.Generator().manual_seed(31)
        rows = []
        for setting in SETTINGS:
            if decoder and ("forced_bos_token_id" in setting or "begin" in setting):
                continue  # are for prompts of one token, and for targets
            for attempt in range(40):
                # Few different tokens, and of those the model says: n-grams occur in both.
                some = torch.randint(3, 101, (1, 6), generator=gen)
                kw = {"do_sample": False, "max_new_tokens": LENGTH, "pad_token_id": 0}
                said = model.generate(some, attention_mask=torch.ones_like(some), **kw)[0, 1:]
                prompt = torch.cat([some[0], said[torch.randperm(len(said), generator=gen)[:4]], said[:5]])[None]
                kw["attention_mask"] = torch.ones_like(prompt)
                plain = model.generate(prompt, **kw, **{k: v for k, v in setting.items() if k == "num_beams"})[0].tolist()
                ids = generate(model, prompt, kw, setting)
                if ids != plain:
                    break
            else:
                raise SystemExit(f"{name}: {setting} changes nothing")
            rows.append({"settings": setting, "prompt": prompt.tolist(), "attention_mask": None, "max_new_tokens": LENGTH, "output": [ids]})
        out[name] = rows
    OUT.parent.mkdir(exist_ok=True)
    about = {"transformers": transformers.__version__, "torch": torch.__version__, "models": out}
    OUT.write_text(json.dumps(about, indent=None) + "\n")


if __name__ == "__main__":
    main()
