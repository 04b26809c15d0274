#!/usr/bin/env python3
"""Directories of encoder-decoders with random weights and the SentencePiece models of make_sentencepiece.py, and what transformers reads and writes for
tasks with them.

Usage: make_text_to_text.py SENTENCEPIECE_DIR OUT_DIR. Needs transformers (5.18), torch, sentencepiece.
"""

import json
import pathlib
import shutil
import sys

import sentencepiece
import torch
import transformers as t
from nllb_tokens import added_tokens_decoder

SMALL = dict(d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=24, decoder_ffn_dim=24,
             max_position_embeddings=64, dropout=0.0, init_std=0.6)
TASKS = {"summarization": dict(prefix="summarize: ", max_length=24, min_length=6, num_beams=2, no_repeat_ngram_size=3, length_penalty=2.0, early_stopping=True),
         "translation_en_to_de": dict(prefix="translate English to German: ", max_length=20, num_beams=3, early_stopping=True),
         "translation_en_to_fr": dict(prefix="translate English to French: ", max_length=15)}
TEXTS = ["The ship climbs.", "A pilot comes aboard, and the vessel moves forward slowly.", "Насосы не нужны, потому что озеро выше моря."]


def save(folder, model, files, **config):
    model.eval()
    model.save_pretrained(folder)
    for name, source in files.items():
        shutil.copy(source, folder / name)
    (folder / "tokenizer_config.json").write_text(json.dumps(config) + "\n", encoding="utf-8")


def run(model, tokenizer, text, **settings):
    source = tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        ids = model.generate(input_ids=source["input_ids"], attention_mask=source["attention_mask"], do_sample=False, **settings)[0].tolist()
    return dict(source_ids=source["input_ids"][0].tolist(), output=ids[1:], text=tokenizer.decode(ids, skip_special_tokens=True))


def write(folder, cases, **more):
    (folder / "case.json").write_text(json.dumps(dict(transformers=t.__version__, torch=torch.__version__, cases=cases, **more), ensure_ascii=False, indent=1) + "\n",
                                      encoding="utf-8")


def t5(pieces, out):
    torch.manual_seed(3)
    tokenizer_files = {"spiece.model": pieces / "t5.model"}
    config = t.T5Config(vocab_size=500, d_model=16, d_kv=8, d_ff=24, num_layers=1, num_decoder_layers=1, num_heads=2, relative_attention_num_buckets=8,
                        relative_attention_max_distance=20, dropout_rate=0.0, initializer_factor=3.0, decoder_start_token_id=0, eos_token_id=1, pad_token_id=0,
                        task_specific_params=TASKS)
    model = t.T5ForConditionalGeneration(config)
    save(out, model, tokenizer_files, tokenizer_class="T5Tokenizer", model_max_length=64)
    written = json.loads((out / "config.json").read_text())
    (out / "config.json").write_text(json.dumps({**written, "task_specific_params": TASKS}, indent=2) + "\n", encoding="utf-8")
    tokenizer = t.T5Tokenizer.from_pretrained(str(out))
    cases = []
    for task, params in TASKS.items():
        settings = {k: v for k, v in params.items() if k != "prefix"}
        cases += [dict(task=task, input=text, **run(model, tokenizer, params["prefix"] + text, **settings)) for text in TEXTS]
    cases += [dict(task=None, input=text, **run(model, tokenizer, text, max_new_tokens=12)) for text in TEXTS[:1] + ["The <extra_id_0> moves <extra_id_1> slowly."]]
    write(out, cases)


def nllb(pieces, out):
    torch.manual_seed(5)
    config = t.M2M100Config(vocab_size=600, pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2, **SMALL)
    model = t.M2M100ForConditionalGeneration(config)
    save(out, model, {"sentencepiece.bpe.model": pieces / "bpe.model"}, tokenizer_class="NllbTokenizer")
    added = added_tokens_decoder(sentencepiece.SentencePieceProcessor(model_file=str(pieces / "bpe.model")).get_piece_size())
    cases = []
    for source, target in [("eng_Latn", "fra_Latn"), ("rus_Cyrl", "deu_Latn")]:
        tokenizer = t.NllbTokenizer.from_pretrained(str(out), src_lang=source, added_tokens_decoder=added)
        for text in TEXTS:
            target_id = tokenizer.convert_tokens_to_ids(target)
            cases.append(dict(source=source, target=target, input=text, **run(model, tokenizer, text, forced_bos_token_id=target_id, max_new_tokens=12, num_beams=2)))
    write(out, cases)


def mbart(pieces, out):
    torch.manual_seed(8)
    size = sentencepiece.SentencePieceProcessor(model_file=str(pieces / "fairseq.model")).get_piece_size() + 27
    config = t.MBartConfig(vocab_size=size, pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2, forced_eos_token_id=2, **SMALL)
    model = t.MBartForConditionalGeneration(config)
    save(out, model, {"sentencepiece.bpe.model": pieces / "fairseq.model"}, tokenizer_class="MBartTokenizer", src_lang="en_XX")
    cases = []
    for source, target in [("en_XX", "ro_RO"), ("ru_RU", "de_DE")]:
        tokenizer = t.MBartTokenizer.from_pretrained(str(out), src_lang=source)
        for text in TEXTS:
            cases.append(dict(source=source, target=target, input=text,
                              **run(model, tokenizer, text, forced_bos_token_id=tokenizer.convert_tokens_to_ids(target), max_new_tokens=12, num_beams=2)))
    tokenizer = t.MBartTokenizer.from_pretrained(str(out))
    text = "The ship <mask> slowly."
    write(out, cases, mask=dict(input=text, **run(model, tokenizer, text, max_new_tokens=12)))


def m2m(pieces, out):
    torch.manual_seed(6)
    vocab = json.loads((pieces / "m2m.vocab.json").read_text())
    # Published models have eight ids more, which no token has: transformers writes <unk> for them, Gatun nothing.
    config = t.M2M100Config(vocab_size=len(vocab) + 100, pad_token_id=1, bos_token_id=0, eos_token_id=2, decoder_start_token_id=2, **SMALL)
    model = t.M2M100ForConditionalGeneration(config)
    save(out, model, {"sentencepiece.bpe.model": pieces / "bpe.model", "vocab.json": pieces / "m2m.vocab.json"}, tokenizer_class="M2M100Tokenizer")
    from transformers.models.m2m_100.tokenization_m2m_100 import FAIRSEQ_LANGUAGE_CODES as codes
    spoken = [f"__{c}__" for c in codes["m2m100"]]
    cases = []
    for source, target in [("en", "fr"), ("ru", "de")]:
        tokenizer = t.M2M100Tokenizer.from_pretrained(str(out), src_lang=source, additional_special_tokens=list(spoken))
        for text in TEXTS:
            cases.append(dict(source=source, target=target, input=text,
                              **run(model, tokenizer, text, forced_bos_token_id=tokenizer.get_lang_id(target), max_new_tokens=12, num_beams=2)))
    write(out, cases)


def marian(pieces, out):
    torch.manual_seed(7)
    vocab = json.loads((pieces / "marian.vocab.json").read_text())
    pad = vocab["<pad>"]
    config = t.MarianConfig(vocab_size=len(vocab), decoder_vocab_size=len(vocab), pad_token_id=pad, eos_token_id=0, forced_eos_token_id=0, decoder_start_token_id=pad, **SMALL)
    model = t.MarianMTModel(config)
    save(out, model, {"source.spm": pieces / "source.spm", "target.spm": pieces / "target.spm", "vocab.json": pieces / "marian.vocab.json"},
         tokenizer_class="MarianTokenizer", source_lang="eng", target_lang="mul")
    tokenizer = t.MarianTokenizer.from_pretrained(str(out))
    cases = []
    for target in ("fra", "deu"):
        for text in TEXTS[:2]:
            cases.append(dict(source="eng", target=target, input=text, **run(model, tokenizer, f">>{target}<< {text}", max_new_tokens=12, num_beams=2)))
    write(out, cases)


def main():
    pieces, out = map(pathlib.Path, sys.argv[1:3])
    for make in (t5, nllb, mbart, m2m, marian):
        folder = out / make.__name__
        folder.mkdir(parents=True, exist_ok=True)
        make(pieces, folder)


main()
