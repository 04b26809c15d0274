#!/usr/bin/env python3
"""What llama.cpp makes of texts by each way that tokenizer.ggml.pre names, and by the settings of the kinds llama and t5.

Usage: make_gguf_settings.py TOKENIZERS_DIR OUT_DIR LIBRARIES_DIR, the first with the vocabularies of make_parts.py and make_gguf_tokenizers.py, the last with
libllama and libggml. Writes loose-bpe.vocab.gguf, whose merges cross all that a way may cut at, and settings.json.
"""

import ctypes
import json
import pathlib
import random
import sys
import tempfile

import gguf
import numpy as np
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

# Marks and joiners are left out: llama.cpp's patterns come near to the models' own there, and no more.
SCRIPTS = ["abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", " \t\n\r ", ".,;:!?'\"()-_/<>|#$%&*+=@[]^`{}~\\", "àâçéßñÀÉ",
           "абвгдАБВ", "αβγΔΩ", "ابت١٢٣", "猫坐在日本語かなカナ。，、「」", "고양이가", "😀①Ⅷ½"]
WORDS = """don't I'M we'LL They'Re it'S 1234567 12 345 3.14159 www.x.com/a//b HELLO CamelCaseWord x=y+1; foo_bar (see) ... !!! naïve the ships of locks""".split()
PRE = """llama-bpe falcon-h1 midm-2.0 dbrx qwen2 kormo stablelm2 grok-2 gpt-2 gigachat a.x-4.0 mellum jais trillion granite-docling starcoder minerva-7b falcon
bloom viking tekken gpt-4o kanana2 minimax-m2 deepseek-v3 hunyuan-dense deepseek-llm deepseek-coder seed-coder""".split()
PREFIX, MERGE = "add_space_prefix", "remove_extra_whitespaces"
# An explicit false with spaces made one is another thing to sentencepiece than to llama.cpp.
FLAGS = {
    "sp-llama": [{}, {PREFIX: False}, {"add_eos_token": True, "add_bos_token": False}, {"add_eos_token": True}],
    "sp-unigram": [{}, {PREFIX: True, MERGE: False}, {PREFIX: False, MERGE: False}, {PREFIX: True, MERGE: True}, {MERGE: True}, {PREFIX: True},
                   {PREFIX: True, MERGE: True, "add_bos_token": True, "add_eos_token": False}],
}
SPACES = ["a", " a", "a ", "  a  b ", "the  ships", "</s> <EOS> <UNK> <s> <unk>", "x</s>y", "line\n\nend\n", "\tx"]


def texts(draw, count, parts):
    for _ in range(count):
        out = []
        for _ in range(draw.randint(1, parts)):
            out.append(draw.choice(WORDS) if draw.random() < 0.45 else "".join(draw.choice(draw.choice(SCRIPTS)) for _ in range(draw.randint(1, 7))))
            out.append(draw.choice(["", "", " ", " ", "  ", "\n", "   "]))
        yield "".join(out)


class Struct(ctypes.Structure):
    """Larger than either structure of settings."""
    _fields_ = [("words", ctypes.c_int64 * 64)]


class Llama:
    def __init__(self, folder):
        load = lambda begin: ctypes.CDLL(str(next(p for p in sorted(folder.iterdir()) if p.name.startswith(begin))))
        ggml, self.api = load("libggml.v"), load("libllama.v")
        ggml.ggml_backend_load_all_from_path(str(folder).encode())
        self.api.llama_backend_init()
        self.api.llama_model_default_params.restype = Struct
        for name in ("llama_model_load_from_file", "llama_model_get_vocab"):
            getattr(self.api, name).restype = ctypes.c_void_p

    def ids(self, file, given):
        model = self.api.llama_model_load_from_file(str(file).encode(), self.api.llama_model_default_params())
        assert model, file
        vocab = ctypes.c_void_p(self.api.llama_model_get_vocab(ctypes.c_void_p(model)))
        out = []
        for text in given:
            ids, raw = (ctypes.c_int32 * 1024)(), text.encode()
            count = self.api.llama_tokenize(vocab, raw, len(raw), ids, 1024, ctypes.c_bool(True), ctypes.c_bool(False))
            assert count >= 0, text
            out.append(list(ids[:count]))
        return out


def write(path, keys, weights):
    """A GGUF file with a tokenizer, and a model of one layer around it where llama.cpp is to load it."""
    w = gguf.GGUFWriter(path, "llama")
    tokens = len(keys["tokenizer.ggml.tokens"])
    for key, value in keys.items():
        if isinstance(value, bool):
            w.add_bool(key, value)
        elif isinstance(value, str):
            w.add_string(key, value)
        elif isinstance(value, bytes):
            w.add_precompiled_charsmap(value)
        elif isinstance(value, list):
            w.add_array(key, value)
        else:
            w.add_uint32(key, value)
    if weights:
        for add in (w.add_embedding_length, w.add_feed_forward_length, w.add_context_length):
            add(32)
        w.add_block_count(1)
        w.add_head_count(2)
        w.add_layer_norm_rms_eps(1e-5)
        w.add_tensor("token_embd.weight", np.zeros((tokens, 32), np.float32))
        for name in ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down"):
            w.add_tensor(f"blk.0.{name}.weight", np.zeros((32, 32), np.float32))
        for name in ("blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"):
            w.add_tensor(f"{name}.weight", np.ones(32, np.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def read(path):
    keys = {}
    for name, field in gguf.GGUFReader(path).fields.items():
        if name.startswith("tokenizer.ggml."):
            value = field.contents()
            keys[name] = bytes(value) if name.endswith("precompiled_charsmap") else value
    return keys


def loose(draw):
    """A vocabulary that was trained on whole texts."""
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    t.train_from_iterator(list(texts(draw, 2000, 14)), trainers.BpeTrainer(
        vocab_size=700, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), special_tokens=["<s>", "</s>"], max_token_length=10, show_progress=False))
    model = json.loads(t.to_str())["model"]
    tokens = sorted(model["vocab"], key=model["vocab"].get)
    return {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.tokens": tokens, "tokenizer.ggml.token_type": [3, 3] + [1] * (len(tokens) - 2),
            "tokenizer.ggml.merges": [" ".join(m) if isinstance(m, list) else m for m in model["merges"]],
            "tokenizer.ggml.bos_token_id": 0, "tokenizer.ggml.eos_token_id": 1}


def main():
    source, out, libraries = map(pathlib.Path, sys.argv[1:4])
    draw, llama = random.Random(41), Llama(libraries)
    bpe = loose(draw)
    write(out / "loose-bpe.vocab.gguf", bpe, False)
    given = list(texts(draw, 24, 6))
    spaced = SPACES + given[:6]
    result = {"texts": given, "spaced": spaced, "pre": {}, "flags": []}
    with tempfile.TemporaryDirectory() as made:
        file = pathlib.Path(made) / "model.gguf"
        for name in PRE:
            write(file, {**bpe, "tokenizer.ggml.pre": name}, True)
            result["pre"][name] = llama.ids(file, given)
        for name, settings in FLAGS.items():
            keys = read(source / f"{name}.vocab.gguf")
            plain = {k: v for k, v in keys.items() if not k.removeprefix("tokenizer.ggml.") in (PREFIX, MERGE, "add_bos_token", "add_eos_token")}
            for flags in settings:
                write(file, {**plain, **{"tokenizer.ggml." + k: v for k, v in flags.items()}}, True)
                result["flags"].append({"file": name, "set": flags, "ids": llama.ids(file, spaced)})
    (out / "settings.json").write_text(json.dumps(result, ensure_ascii=False) + "\n", encoding="utf-8")


main()
