#!/usr/bin/env python3
"""Vocabularies with tokens that were added to them later, and the ids that transformers gives.

    python3 make_added_tokens.py

Needs transformers. Writes ../added-tokens.json: a list of cases, each with its files, the versions and texts with ids.
"""
import json
import tempfile
from pathlib import Path

import tokenizers
import transformers

OUT = Path(__file__).resolve().parent.parent / "added-tokens.json"
VOCAB = "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghij", "<in>", *["##" + c for c in "abcdefghij"]]) + "\n"
TEXTS = ["a <ent> b", "a<ent>b", "A <ENT> b", "a  <two> b [MASK]c", "<ent><two><ent>", "ab<in>ab", "a <in> b"]
BERT = {"tokenizer_class": "BertTokenizer", "model_max_length": 40}


def token(content, **more):
    return {"content": content, "lstrip": False, "rstrip": False, "single_word": False, "normalized": False, "special": False, **more}


def case(name, kind, **files):
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        texts = {"vocab.txt": VOCAB, "config.json": json.dumps({"model_type": "bert"})}
        for file, content in files.items():
            texts[file + ".json"] = json.dumps(content)
        for file, text in texts.items():
            (folder / file).write_text(text)
        tokenizer = kind.from_pretrained(folder)
        return {"name": name, "files": texts, "texts": [{"text": t, "ids": tokenizer(t)["input_ids"]} for t in TEXTS]}


def main():
    bert = transformers.BertTokenizerFast
    end = VOCAB.count("\n")
    cases = [
        case("added_tokens", bert, added_tokens={"<two>": end + 1, "<ent>": end}, tokenizer_config=BERT),
        case("added_tokens-cased", bert, added_tokens={"<ent>": end}, tokenizer_config={**BERT, "do_lower_case": False}),
        case("decoder", bert, tokenizer_config={**BERT, "added_tokens_decoder": {
            "0": token("[PAD]", special=True), "1": token("[UNK]", special=True), "2": token("[CLS]", special=True), "3": token("[SEP]", special=True),
            "4": token("[MASK]", special=True), str(end): token("<ent>", lstrip=True, rstrip=True), str(end + 1): token("<two>", normalized=True)}}),
        case("decoder-single-word", bert, tokenizer_config={**BERT, "added_tokens_decoder": {
            "15": token("<in>", special=True), str(end): token("<ent>", single_word=True)}}),
        case("map", bert, special_tokens_map={"additional_special_tokens": ["<ent>", "<in>"], "cls_token": "[CLS]"}, tokenizer_config=BERT),
        case("map-and-added", bert, special_tokens_map={"additional_special_tokens": [token("<two>", rstrip=True, __type="AddedToken")]},
             added_tokens={"<ent>": end, "<two>": end + 1}, tokenizer_config=BERT),
    ]
    about = {"transformers": transformers.__version__, "tokenizers": tokenizers.__version__, "cases": cases}
    OUT.write_text(json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    main()
