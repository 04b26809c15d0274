#!/usr/bin/env python3
"""SentencePiece models with few pieces and a small table of characters, and what transformers' tokenizers of encoder-decoders, and sentencepiece itself,
make of texts with them.

Usage: make_sentencepiece.py OUT_DIR. Needs sentencepiece, protobuf and transformers (5.18).
"""

import json
import pathlib
import random
import shutil
import sys
import tempfile
import unicodedata

import sentencepiece
import tokenizers
import transformers
from nllb_tokens import added_tokens_decoder
from transformers.models.m2m_100 import tokenization_m2m_100

HERE = pathlib.Path(__file__).parent
SCRIPTS = ["abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "0123456789", " \t\n", ".,;:!?'\"()-_/<>|", "àâçéèêëîïôùûüÿñáíóúß",
           "абвгдежзиклмнопрстуфхцчшщыэюя", "αβγδεζηθικλμνξοπρστυφχψω", "ابتثجحخدذرزسش", "अआइईउऊकखगघ", "猫坐在垫子上的日本語かなカナ", "고양이가매트위에",
           "😀🇵🇦👩‍🔬ﬁ①Ⅷ", "ＡＢａｂ１２", "e\u0301e\u0302\u0301a\u0323\u0302", "\u00a0\u3000\u200b", "\u2581"]


def rules(path):
    """A table of characters as nmt_nfkc has it, of few."""
    rows = {chr(0xFF01 + i): chr(0x21 + i) for i in range(94)}
    rows |= {c: unicodedata.normalize("NFKC", c) for c in "ﬁﬂ①②Ⅷ½ｶﾞ"}
    rows |= {d: unicodedata.normalize("NFC", d) for c in "éèêëàâáíóúñüấếậ" for d in [unicodedata.normalize("NFD", c)]}
    rows |= {"e\u0302\u0301": "ế", "a\u0323\u0302": "ậ", "ｶﾞ": "ガ"}
    rows |= {c: " " for c in "\t\n\u00a0\u3000"} | {"\u200b": ""}
    path.write_text("".join(" ".join(f"{ord(c):X}" for c in k) + "\t" + " ".join(f"{ord(c):X}" for c in v) + "\n" for k, v in sorted(rows.items())), encoding="utf-8")


def texts(lines):
    yield from ["", " ", "Hello", "  Two  spaces  and a tab\tand a line\nend  ", "<mask> and <extra_id_0> words <extra_id_12>.", "</s> <pad><unk> in a text",
                "en_XX __fr__ fra_Latn >>fra<< code", ">>fra<< Hello there", ">>xyz<<Hello", ">>open Hello", "Ｆｕｌｌ ｗｉｄｔｈ ①②", "e\u0302\u0301 and a\u0323\u0302 Vie\u0302\u0323t",
                "a\u2581b \u2581 c", "zero\u200bwidth", "unknown: ₿₮ ꙮꙮ x₿"]
    yield from lines[::3]
    draw = random.Random(19)
    words = " ".join(lines).split()
    for _ in range(24):
        out = []
        for _ in range(draw.randint(1, 6)):
            word = draw.choice(words)
            kind = draw.random()
            out.append(word if kind < 0.4 else word[draw.randrange(len(word)):] if kind < 0.6
                       else "".join(draw.choice(draw.choice(SCRIPTS)) for _ in range(draw.randint(1, 5))))
            out.append(draw.choice(["", " ", " ", " ", "  ", "\n"]))
        yield "".join(out)


def train(out, name, lines, **options):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "corpus.txt").write_text("\n".join(lines), encoding="utf-8")
        rules(folder / "rules.tsv")
        if "normalization_rule_name" not in options:
            options["normalization_rule_tsv"] = str(folder / "rules.tsv")
        sentencepiece.SentencePieceTrainer.train(input=str(folder / "corpus.txt"), model_prefix=str(folder / "m"), minloglevel=2, num_threads=1,
                                                 hard_vocab_limit=False, **options)
        model = (folder / "m.model").read_bytes()
    # The paths of this run's files are in the training settings.
    from sentencepiece import sentencepiece_model_pb2
    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    proto.trainer_spec.ClearField("input")
    proto.trainer_spec.ClearField("model_prefix")
    proto.normalizer_spec.ClearField("normalization_rule_tsv")
    (out / name).write_bytes(proto.SerializeToString())
    return sentencepiece.SentencePieceProcessor(model_file=str(out / name))


def charsmap(path):
    from sentencepiece import sentencepiece_model_pb2
    return sentencepiece_model_pb2.ModelProto.FromString(path.read_bytes()).normalizer_spec.precompiled_charsmap


def directory(folder, files, **config):
    folder.mkdir()
    for name, source in files.items():
        shutil.copy(source, folder / name)
    (folder / "tokenizer_config.json").write_text(json.dumps(config), encoding="utf-8")
    return str(folder)


def fast(tokenizer, text):
    made = tokenizer(text, return_offsets_mapping=True)
    return dict(ids=made["input_ids"], offsets=[list(o) for o in made["offset_mapping"]], decoded=tokenizer.decode(made["input_ids"], skip_special_tokens=True))


def slow(tokenizer, text):
    ids = tokenizer(text)["input_ids"]
    return dict(ids=ids, decoded=tokenizer.decode(ids, skip_special_tokens=True))


def plain(processor, text):
    made = processor.encode(text, return_type="proto")
    data = text.encode()
    # The library counts bytes.
    points = lambda at: len(data[:at].decode())
    return dict(ids=[p.id for p in made.pieces], offsets=[[points(p.begin), points(p.end)] for p in made.pieces], decoded=processor.decode([p.id for p in made.pieces]))


def main():
    out = pathlib.Path(sys.argv[1])
    lines = (HERE / "corpus.txt").read_text(encoding="utf-8").splitlines()
    small = dict(vocab_size=380, character_coverage=0.98)
    t5 = train(out, "t5.model", lines, model_type="unigram", pad_id=0, eos_id=1, unk_id=2, bos_id=-1, **small)
    fairseq = train(out, "fairseq.model", lines, model_type="unigram", user_defined_symbols=["<word>"], **small)
    bpe = train(out, "bpe.model", lines, model_type="bpe", **small)
    llama = train(out, "llama.model", lines, model_type="bpe", vocab_size=660, character_coverage=0.98, byte_fallback=True, normalization_rule_name="identity",
                  remove_extra_whitespaces=False, allow_whitespace_only_pieces=True, split_digits=True)
    source = train(out, "source.spm", lines[:8], model_type="unigram", vocab_size=150, character_coverage=1.0)
    target = train(out, "target.spm", lines[8:30], model_type="unigram", vocab_size=200, character_coverage=0.99)
    pieces = [p.id_to_piece(i) for p in (source, target) for i in range(3, p.get_piece_size())]
    # Some pieces of the source are unknown to the model.
    pieces = list(dict.fromkeys(p for p in pieces if p not in ("t", "\u2581the", "ing")))
    vocab = {t: i for i, t in enumerate(["</s>", "<unk>"] + pieces + [">>fra<<", ">>deu<<", "<pad>"])}
    (out / "marian.vocab.json").write_text(json.dumps(vocab, ensure_ascii=False), encoding="utf-8")
    own = {t: i for i, t in enumerate(["<s>", "<pad>", "</s>", "<unk>"] + [bpe.id_to_piece(i) for i in range(3, bpe.get_piece_size()) if i % 20])}
    (out / "m2m.vocab.json").write_text(json.dumps(own, ensure_ascii=False), encoding="utf-8")
    spoken = [f"__{c}__" for c in tokenization_m2m_100.FAIRSEQ_LANGUAGE_CODES["m2m100"]]
    with tempfile.TemporaryDirectory() as folder:
        at = pathlib.Path(folder)
        t = transformers
        nllb = added_tokens_decoder(bpe.get_piece_size())
        made = {
            "t5": (fast, t.T5Tokenizer.from_pretrained(directory(at / "t5", {"spiece.model": out / "t5.model"}, tokenizer_class="T5Tokenizer", extra_ids=20))),
            "pegasus": (fast, t.PegasusTokenizer.from_pretrained(directory(at / "pegasus", {"spiece.model": out / "t5.model"}, tokenizer_class="PegasusTokenizer"))),
            "mbart": (fast, t.MBartTokenizer.from_pretrained(directory(at / "mbart", {"sentencepiece.bpe.model": out / "fairseq.model"},
                                                                         tokenizer_class="MBartTokenizer", src_lang="ro_RO"))),
            "mbart50": (fast, t.MBart50Tokenizer.from_pretrained(directory(at / "mbart50", {"sentencepiece.bpe.model": out / "fairseq.model"},
                                                                            tokenizer_class="MBart50Tokenizer", src_lang="sl_SI"))),
            "nllb": (fast, t.NllbTokenizer.from_pretrained(directory(at / "nllb", {"sentencepiece.bpe.model": out / "bpe.model"}, tokenizer_class="NllbTokenizer",
                                                                      src_lang="fra_Latn", added_tokens_decoder=nllb))),
            "nllb-legacy": (fast, t.NllbTokenizer.from_pretrained(directory(at / "nllb-legacy", {"sentencepiece.bpe.model": out / "bpe.model"},
                                                                             tokenizer_class="NllbTokenizer", src_lang="fra_Latn", legacy_behaviour=True,
                                                                             added_tokens_decoder=nllb))),
            "xlm-roberta": (fast, t.XLMRobertaTokenizer.from_pretrained(directory(at / "xlmr", {"sentencepiece.bpe.model": out / "fairseq.model"},
                                                                                   tokenizer_class="XLMRobertaTokenizer"))),
            "llama": (fast, t.LlamaTokenizer.from_pretrained(directory(at / "llama", {"tokenizer.model": out / "llama.model"}, tokenizer_class="LlamaTokenizer",
                                                                        add_bos_token=True))),
            "marian": (slow, t.MarianTokenizer.from_pretrained(directory(at / "marian", {"source.spm": out / "source.spm", "target.spm": out / "target.spm",
                                                                                          "vocab.json": out / "marian.vocab.json"}, tokenizer_class="MarianTokenizer"))),
            "m2m-100": (slow, t.M2M100Tokenizer.from_pretrained(directory(at / "m2m", {"sentencepiece.bpe.model": out / "bpe.model", "vocab.json": out / "m2m.vocab.json"},
                                                                            tokenizer_class="M2M100Tokenizer", src_lang="fr", additional_special_tokens=spoken))),
            "t5.model": (plain, t5), "fairseq.model": (plain, fairseq), "bpe.model": (plain, bpe), "llama.model": (plain, llama)}
        # transformers 5.18 leaves out the model's table of characters for mBART; SentencePiece applies it.
        made["mbart"][1].backend_tokenizer.normalizer = tokenizers.normalizers.Precompiled(charsmap(out / "fairseq.model"))
        cases = [dict(text=text, **{name: make(tokenizer, text) for name, (make, tokenizer) in made.items()}) for text in texts(lines)]
        sizes = {name: len(tokenizer) for name, (_, tokenizer) in made.items()}
        masks = {name: tokenizer.mask_token_id for name, (_, tokenizer) in made.items() if getattr(tokenizer, "mask_token", None)}
    head = dict(versions={m.__name__: m.__version__ for m in (sentencepiece, transformers)}, sizes=sizes, masks=masks)
    (out / "case.json").write_text("[\n" + ",\n".join(json.dumps(c, ensure_ascii=False, separators=(",", ":")) for c in [head] + cases) + "\n]\n", encoding="utf-8")


main()
