#!/usr/bin/env python3
"""Vocabularies that make_parts.py trained, as GGUF files of the kinds t5 and bert, and what sentencepiece and tokenizers make of random texts.

Usage: make_gguf_tokenizers.py TOKENIZERS_DIR OUT_DIR, the first as make_parts.py writes it.
"""

import json
import pathlib
import random
import sys

import gguf
import sentencepiece
import tokenizers
from sentencepiece import sentencepiece_model_pb2

SCRIPTS = ["abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", " \t\n", ".,;:!?'\"()-_/<>|", "àâçéèêëîïôùûüÿñáíóúß",
           "абвгдежзиклмнопрстуфхцчшщыэюя", "αβγδεζηθικλμνξοπρστυφχψω", "ابتثجحخدذرزسشصضطظعغفقكلمنهوي", "अआइईउऊकखगघचछजटडतदनपबमयरलवशसह",
           "猫坐在垫子上的日本語かなカナ", "고양이가매트위에앉아있다", "😀🇵🇦👩‍🔬ﬁ①Ⅷ"]


def texts(corpus, count):
    """Words of the corpus, cut and joined anew, with characters of many scripts between them."""
    draw = random.Random(17)
    words = corpus.split()
    for _ in range(count):
        out = []
        for _ in range(draw.randint(1, 12)):
            kind = draw.random()
            if kind < 0.5:
                out.append(draw.choice(words))
            elif kind < 0.7:
                word = draw.choice(words)
                out.append(word[draw.randrange(len(word)):])
            else:
                out.append("".join(draw.choice(draw.choice(SCRIPTS)) for _ in range(draw.randint(1, 6))))
            out.append(draw.choice(["", " ", " ", " ", "  ", "\n"]))
        yield "".join(out)


def write(path, kind, tokens, types, more, scores=None):
    w = gguf.GGUFWriter(path, "llama")
    w.add_tokenizer_model(kind)
    w.add_token_list(tokens)
    w.add_token_types(types)
    if scores:
        w.add_token_scores(scores)
    more(w)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def main():
    source, out = map(pathlib.Path, sys.argv[1:3])
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString((source / "sp-unigram.model").read_bytes())

    def unigram(w):
        w.add_unk_token_id(1)
        w.add_bos_token_id(2)
        w.add_eos_token_id(3)
        w.add_pad_token_id(0)
        w.add_add_space_prefix(proto.normalizer_spec.add_dummy_prefix)
        w.add_remove_extra_whitespaces(proto.normalizer_spec.remove_extra_whitespaces)
        w.add_precompiled_charsmap(proto.normalizer_spec.precompiled_charsmap)

    write(out / "sp-unigram.vocab.gguf", "t5", [p.piece for p in proto.pieces], [p.type for p in proto.pieces], unigram, [p.score for p in proto.pieces])
    piece = json.loads((source / "wordpiece.tokenizer.json").read_text(encoding="utf-8"))
    vocab = sorted(piece["model"]["vocab"], key=piece["model"]["vocab"].get)

    def bert(w):
        for role in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"):
            add = {"[PAD]": w.add_pad_token_id, "[UNK]": w.add_unk_token_id, "[CLS]": w.add_bos_token_id, "[SEP]": w.add_sep_token_id, "[MASK]": w.add_mask_token_id}
            add[role](vocab.index(role))

    def marked(token):
        """The converter's spelling: what begins a word is marked, what goes on is not."""
        return token if token.startswith("[") and token.endswith("]") else token[2:] if token.startswith("##") else "\u2581" + token

    write(out / "wordpiece.vocab.gguf", "bert", [marked(t) for t in vocab], [3 if t.startswith("[") and t.endswith("]") and len(t) > 2 else 1 for t in vocab], bert)
    kinds = {"sp-llama": sentencepiece.SentencePieceProcessor(model_file=str(source / "sp-llama.model")),
             "sp-unigram": sentencepiece.SentencePieceProcessor(model_file=str(source / "sp-unigram.model"))}
    made = {name: tokenizers.Tokenizer.from_file(str(source / f"{name}.tokenizer.json")) for name in ("byte-bpe", "wordpiece")}
    cases = []
    for text in texts((source / "corpus.txt").read_text(encoding="utf-8"), 150):
        case = dict(text=text)
        for name, t in kinds.items():
            case[name] = t.encode(text)
        for name, t in made.items():
            e = t.encode(text)
            case[name] = e.ids
        cases.append(case)
    (out / "random-texts.json").write_text("[\n" + ",\n".join(json.dumps(c, ensure_ascii=False) for c in cases) + "\n]\n", encoding="utf-8")


main()
