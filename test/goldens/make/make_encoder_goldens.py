#!/usr/bin/env python3
"""More golden data of encoders: the families, heads and settings that make_golden.py leaves out.

Each case is a folder as make_golden.py writes it (config.json, model.safetensors, expected.safetensors, case.json), without
gradients. Everything is computed by Hugging Face transformers on PyTorch; case.json names the versions.

Usage: make_encoder_goldens.py OUT_DIR [--only NAME ...]
"""

import argparse
import json
import pathlib
import platform
import shutil

import torch
import transformers
from safetensors.torch import save_file

from make_golden import ENC, VOCAB, flat, ragged, tokens

transformers.logging.disable_progress_bar()
transformers.logging.set_verbosity_error()

# An odd feed-forward size, so that no kernel can count on a multiple of its vector width.
BASE = {**ENC, "intermediate_size": 45, "max_position_embeddings": 24}
DISTIL = dict(vocab_size=VOCAB, dim=32, n_layers=2, n_heads=4, hidden_dim=45, max_position_embeddings=24, pad_token_id=0,
              dropout=0.0, attention_dropout=0.0, qa_dropout=0.0, seq_classif_dropout=0.0)
ELECTRA = {**BASE, "embedding_size": 16, "summary_last_dropout": 0.0}
ROBERTA = {**BASE, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "type_vocab_size": 1, "max_position_embeddings": 26,
           "layer_norm_eps": 1e-5}
DEBERTA = {**BASE, "relative_attention": True, "max_relative_positions": -1, "pos_att_type": ["c2p", "p2c"],
           "position_biased_input": False, "type_vocab_size": 0, "legacy": True}
DEBERTA2 = {**DEBERTA, "position_buckets": 8, "norm_rel_ebd": "layer_norm", "share_att_key": True,
            "pos_att_type": ["p2c", "c2p"]}
SENTIMENT = {"id2label": {0: "negative", 1: "neutral", 2: "positive"}, "label2id": {"negative": 0, "neutral": 1, "positive": 2}}
TAGS = {"id2label": {i: t for i, t in enumerate(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"])},
        "label2id": {t: i for i, t in enumerate(["O", "B-PER", "I-PER", "B-LOC", "I-LOC"])}}

CASES = {}
SEED = 101


def case(name, cls, head, base, *, types=None, mask=True, body=True, published=None, dropped=(), length=13, pad="right", **config):
    """types: pass token_type_ids (by default where the family has them); mask: pass attention_mask; length: of the longest
    sequence; pad: the side of the padding; published: keys that config.json spells as a published checkpoint does rather than
    as save_pretrained does; dropped: keys taken out of config.json once the reference has run; body: two layers and their
    attention weights are kept, otherwise the case is about the head and has one layer, without them."""
    config = {**base, **config}
    if not body:
        config["n_layers" if "n_layers" in config else "num_hidden_layers"] = 1
    if types is None:
        types = cls.startswith(("Bert", "Electra", "Albert", "Nomic")) or (
            cls.startswith("Deberta") and config["type_vocab_size"] > 0)
    CASES[name] = dict(cls=cls, head=head, seed=SEED + len(CASES), types=types, mask=mask, attentions=body and length < 64,
                       published=published or {}, dropped=list(dropped), length=length, pad=pad,
                       config=config)


case("distilbert-mlm", "DistilBertForMaskedLM", "mlm", DISTIL)
case("distilbert-classify", "DistilBertForSequenceClassification", "classify", DISTIL, num_labels=2, body=False)
case("distilbert-tokens", "DistilBertForTokenClassification", "tokens", DISTIL, body=False, activation="relu", **TAGS)
case("distilbert-qa", "DistilBertForQuestionAnswering", "qa", DISTIL, body=False)

case("electra-mlm", "ElectraForMaskedLM", "mlm", ELECTRA)
case("electra-discriminator", "ElectraForPreTraining", "discriminator", ELECTRA)
case("electra-classify", "ElectraForSequenceClassification", "classify", ELECTRA, num_labels=3, embedding_size=32,
     body=False)
case("electra-tokens", "ElectraForTokenClassification", "tokens", ELECTRA, body=False, **TAGS)
case("electra-qa", "ElectraForQuestionAnswering", "qa", ELECTRA, body=False)

case("roberta-classify", "RobertaForSequenceClassification", "classify", ROBERTA, body=False, **SENTIMENT)
case("roberta-tokens", "RobertaForTokenClassification", "tokens", ROBERTA, body=False, **TAGS)
case("roberta-qa", "RobertaForQuestionAnswering", "qa", ROBERTA, body=False)
case("xlm-roberta-mlm", "XLMRobertaForMaskedLM", "mlm", ROBERTA)
case("xlm-roberta-classify", "XLMRobertaForSequenceClassification", "classify", ROBERTA, body=False, **SENTIMENT)
case("xlm-roberta-tokens", "XLMRobertaForTokenClassification", "tokens", ROBERTA, body=False, **TAGS)
case("xlm-roberta-qa", "XLMRobertaForQuestionAnswering", "qa", ROBERTA, body=False)

case("bert-nsp", "BertForNextSentencePrediction", "nsp", BASE, body=False)
case("bert-mlm-gelu-new", "BertForMaskedLM", "mlm", BASE, body=False, hidden_act="gelu_new")
case("bert-mlm-relu", "BertForMaskedLM", "mlm", BASE, body=False, hidden_act="relu", types=False, mask=False)
case("bert-multi-label", "BertForSequenceClassification", "multi-label", BASE, body=False, num_labels=4,
     problem_type="multi_label_classification")
case("bert-regression", "BertForSequenceClassification", "regression", BASE, body=False, num_labels=1,
     problem_type="regression")

case("deberta-mlm", "DebertaForMaskedLM", "mlm", DEBERTA)
# This version of transformers can not build the head of "legacy": false with tied embeddings (it looks for a weight that the
# head does not have). The head multiplies by the word embeddings whatever the setting says, so the setting is left out.
case("deberta-mlm-new-head", "DebertaForMaskedLM", "mlm", DEBERTA, legacy=False, body=False,
     tie_word_embeddings=False, dropped=["tie_word_embeddings"])
case("deberta-classify", "DebertaForSequenceClassification", "classify", DEBERTA, num_labels=3, pooler_hidden_act="gelu",
     pooler_dropout=0.0, published={"pos_att_type": "c2p|p2c"})
case("deberta-tokens", "DebertaForTokenClassification", "tokens", DEBERTA, body=False, **TAGS)
case("deberta-qa", "DebertaForQuestionAnswering", "qa", DEBERTA, body=False)
case("deberta-c2p-clamped", "DebertaForTokenClassification", "tokens", DEBERTA, pos_att_type=["c2p"],
     max_relative_positions=5, position_biased_input=True, type_vocab_size=2, **TAGS)
case("deberta-p2c", "DebertaForTokenClassification", "tokens", DEBERTA, pos_att_type=["p2c"], **TAGS)
case("deberta-absolute", "DebertaForTokenClassification", "tokens", DEBERTA, relative_attention=False, pos_att_type=[],
     position_biased_input=True, body=False, **TAGS)

case("deberta-v2-mlm-new-head", "DebertaV2ForMaskedLM", "mlm", DEBERTA2, legacy=False, body=False,
     tie_word_embeddings=False, dropped=["tie_word_embeddings"])
case("deberta-v2-classify", "DebertaV2ForSequenceClassification", "classify", DEBERTA2, num_labels=3, pooler_dropout=0.0,
     published={"pos_att_type": "p2c|c2p"})
case("deberta-v2-tokens", "DebertaV2ForTokenClassification", "tokens", DEBERTA2, body=False, **TAGS)
case("deberta-v2-qa", "DebertaV2ForQuestionAnswering", "qa", DEBERTA2, body=False)
case("deberta-v2-own-keys", "DebertaV2ForMaskedLM", "mlm", DEBERTA2, share_att_key=False)
case("deberta-v2-conv", "DebertaV2ForTokenClassification", "tokens", DEBERTA2, conv_kernel_size=3, conv_act="gelu", **TAGS)
case("deberta-v2-conv-tanh", "DebertaV2ForTokenClassification", "tokens", DEBERTA2, conv_kernel_size=3, body=False,
     **TAGS)
case("deberta-v2-absolute", "DebertaV2ForTokenClassification", "tokens", DEBERTA2, position_biased_input=True,
     type_vocab_size=2, **TAGS)
case("deberta-v2-no-buckets", "DebertaV2ForTokenClassification", "tokens", DEBERTA2, position_buckets=-1,
     norm_rel_ebd="none", **TAGS)
case("deberta-v2-clamped", "DebertaV2ForTokenClassification", "tokens", DEBERTA2, position_buckets=-1,
     max_relative_positions=6, **TAGS)
case("deberta-v2-c2p", "DebertaV2ForTokenClassification", "tokens", DEBERTA2, pos_att_type=["c2p"], position_buckets=6, **TAGS)
case("deberta-v2-p2c", "DebertaV2ForTokenClassification", "tokens", DEBERTA2, pos_att_type=["p2c"], share_att_key=False,
     norm_rel_ebd="none", **TAGS)
case("deberta-v2-embedding-size", "DebertaV2ForTokenClassification", "tokens", DEBERTA2, embedding_size=16,
     body=False, **TAGS)

# Sizes of the long cases, whose point is the distance between tokens.
SMALL = dict(hidden_size=16, num_attention_heads=2, intermediate_size=21, max_position_embeddings=160)
# MPNet's padding has the id 1 and its positions begin at 2, whatever pad_token_id says.
MPNET = {**BASE, "pad_token_id": 1, "bos_token_id": 0, "eos_token_id": 2, "max_position_embeddings": 26}
case("mpnet-mlm", "MPNetForMaskedLM", "mlm", MPNET)
case("mpnet-classify", "MPNetForSequenceClassification", "classify", MPNET, body=False, **SENTIMENT)
case("mpnet-tokens", "MPNetForTokenClassification", "tokens", MPNET, body=False, hidden_act="gelu_new", layer_norm_eps=1e-3,
     **TAGS)
case("mpnet-qa", "MPNetForQuestionAnswering", "qa", MPNET, body=False)
case("mpnet-left", "MPNetForTokenClassification", "tokens", MPNET, pad="left", relative_attention_num_buckets=40, **TAGS)
# Past the distance of 128 all tokens share the last bucket.
case("mpnet-long", "MPNetForTokenClassification", "tokens", {**MPNET, **SMALL}, length=150, **TAGS)

ALBERT = {**BASE, "embedding_size": 16, "classifier_dropout_prob": 0.0}
case("albert-mlm", "AlbertForMaskedLM", "mlm", ALBERT)
case("albert-pretraining", "AlbertForPreTraining", "pretraining", ALBERT, num_hidden_layers=4, num_hidden_groups=2,
     inner_group_num=2)
case("albert-classify", "AlbertForSequenceClassification", "classify", ALBERT, body=False, **SENTIMENT)
case("albert-tokens", "AlbertForTokenClassification", "tokens", ALBERT, body=False, hidden_act="gelu", embedding_size=32,
     **TAGS)
case("albert-qa", "AlbertForQuestionAnswering", "qa", ALBERT, body=False)
# Groups that do not divide the layers: layer i is of group floor(i * groups / layers).
case("albert-groups", "AlbertForTokenClassification", "tokens", ALBERT, num_hidden_layers=5, num_hidden_groups=2, **TAGS)

# A query of a local layer sees 3 tokens on each side.
MODERN = dict(vocab_size=VOCAB, hidden_size=32, num_hidden_layers=4, num_attention_heads=4, intermediate_size=45,
              max_position_embeddings=24, pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2,
              local_attention=6)
OLD_ROPE = {"global_rope_theta": 5000.0, "local_rope_theta": 300.0, "global_attn_every_n_layers": 2}
case("modernbert-mlm", "ModernBertForMaskedLM", "mlm", MODERN)
case("modernbert-classify", "ModernBertForSequenceClassification", "classify", MODERN, body=False, classifier_bias=True,
     classifier_activation="relu", **SENTIMENT)
case("modernbert-classify-mean", "ModernBertForSequenceClassification", "classify", MODERN, body=False,
     classifier_pooling="mean", pad="left", **SENTIMENT)
case("modernbert-tokens", "ModernBertForTokenClassification", "tokens", MODERN, num_hidden_layers=3, pad="left",
     attention_bias=True, mlp_bias=True, norm_bias=True, norm_eps=1e-3, hidden_activation="silu", **TAGS)
case("modernbert-qa", "ModernBertForQuestionAnswering", "qa", MODERN, body=False, layer_types=["sliding_attention"])
# As the published checkpoints spell it.
case("modernbert-thetas", "ModernBertForMaskedLM", "mlm", MODERN, num_hidden_layers=3, decoder_bias=False,
     published={**OLD_ROPE, "rope_parameters": None, "layer_types": None}, dropped=["rope_parameters", "layer_types"])
case("modernbert-long", "ModernBertForTokenClassification", "tokens", {**MODERN, **SMALL, "local_attention": 64},
     num_hidden_layers=2, length=150, **TAGS)

NOMIC = {**BASE, "layer_norm_eps": 1e-12}
case("nomic-bert-mlm", "NomicBertForMaskedLM", "mlm", NOMIC)
case("nomic-bert-classify", "NomicBertForSequenceClassification", "classify", NOMIC, body=False, **SENTIMENT)
case("nomic-bert-tokens", "NomicBertForTokenClassification", "tokens", NOMIC, pad="left", head_dim=12, hidden_act="gelu",
     rope_parameters={"rope_type": "linear", "rope_theta": 200.0, "factor": 2.0}, **TAGS)
# Of a case that is no longer here.
SEED += 1

GTE = {**BASE, "type_vocab_size": 1, "pad_token_id": 1, "classifier_dropout": 0.0}
case("gte-mlm", "GteForMaskedLM", "mlm", GTE)
case("gte-classify", "GteForSequenceClassification", "classify", GTE, body=False, **SENTIMENT)
case("gte-tokens", "GteForTokenClassification", "tokens", GTE, body=False, type_vocab_size=0, hidden_act="silu",
     rope_parameters={"rope_type": "default", "rope_theta": 500.0}, **TAGS)

# Output layers of their own; BERT's bias is with the layer then.
case("bert-mlm-untied", "BertForMaskedLM", "mlm", BASE, body=False, tie_word_embeddings=False)
case("modernbert-mlm-untied", "ModernBertForMaskedLM", "mlm", MODERN, body=False, tie_word_embeddings=False)

# Both stacks read the text; heads are on the decoder's states.
BART = dict(vocab_size=VOCAB, d_model=24, encoder_layers=1, decoder_layers=2, encoder_attention_heads=4, decoder_attention_heads=2,
            encoder_ffn_dim=45, decoder_ffn_dim=20, max_position_embeddings=24, pad_token_id=0, bos_token_id=1, eos_token_id=2,
            decoder_start_token_id=2, dropout=0.0)
case("bart-classify", "BartForSequenceClassification", "classify", BART, **SENTIMENT)
case("bart-qa", "BartForQuestionAnswering", "qa", BART, scale_embedding=True)
case("mbart-classify", "MBartForSequenceClassification", "classify", BART, num_labels=2)
case("mbart-qa", "MBartForQuestionAnswering", "qa", BART)


def fill(model, gen):
    """Random weights, larger than the usual 0.02, so that softmax and gelu are away from their linear parts."""
    with torch.no_grad():
        for key, p in model.named_parameters():
            if "rel_embeddings" in key or "relative_attention_bias" in key:
                p.normal_(0.0, 0.5, generator=gen)
            elif p.dim() > 1:
                p.normal_(0.0, 0.2 if "embeddings." in key and "LayerNorm" not in key else 0.15, generator=gen)
            elif "norm" in key.lower() and key.endswith("weight"):
                p.copy_(1.0 + 0.1 * torch.randn(p.shape, generator=gen))
            else:
                p.normal_(0.0, 0.1, generator=gen)
    model.tie_weights()


def inputs(s, config, gen):
    head = s["head"]
    length = s["length"]
    ids, mask = ragged(gen, 3, length, config.pad_token_id, s["pad"])
    x = dict(input_ids=ids)
    if s["mask"]:
        x["attention_mask"] = mask
    if s["types"]:
        x["token_type_ids"] = (torch.arange(length) > 6).long().expand(3, length).contiguous()
    ignore = lambda t: torch.where(mask.bool(), t, torch.full_like(t, -100))
    if head in ("mlm", "pretraining"):
        x["labels"] = ignore(tokens(gen, 3, length))
        if head == "pretraining":
            x["sentence_order_label"] = torch.tensor([0, 1, 1])
    elif head == "discriminator":
        x["labels"] = torch.randint(0, 2, (3, length), generator=gen)
    elif head in ("classify", "nsp"):
        x["labels"] = torch.tensor([0, 1, 1])
        if "Bart" in s["cls"]:  # scored by the last end of a text: each has two, and the first has tokens behind them
            ids[:, 3] = config.eos_token_id
            ids[torch.arange(3), mask.sum(1) - torch.tensor([3, 1, 1])] = config.eos_token_id
    elif head == "multi-label":
        x["labels"] = torch.tensor([[1.0, 0.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0], [1.0, 1.0, 0.0, 0.0]])
    elif head == "regression":
        x["labels"] = torch.tensor([0.5, -1.25, 2.0])
    elif head == "tokens":
        x["labels"] = ignore(torch.randint(0, config.num_labels, (3, length), generator=gen))
    elif head == "qa":
        x["start_positions"], x["end_positions"] = torch.tensor([1, 2, 0]), torch.tensor([5, 3, 4])
    return x


def edit(file, changes, drop=()):
    if changes or drop:
        config = {**json.loads(file.read_text()), **changes}
        for key in drop:
            del config[key]
        file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def build(name, s, root):
    folder = root / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    torch.manual_seed(s["seed"])
    gen = torch.Generator().manual_seed(1000 + s["seed"])
    cls = getattr(transformers, s["cls"])
    config = cls.config_class(**s["config"])
    config._attn_implementation = "eager"
    model = cls(config)
    fill(model, gen)
    model.eval().save_pretrained(folder, safe_serialization=True)
    edit(folder / "config.json", s["published"])
    # what the files say is the truth, so the reference runs on the model as loaded
    model, info = cls.from_pretrained(folder, attn_implementation="eager", output_loading_info=True)
    assert not info["missing_keys"] and not info["mismatched_keys"] and not info["unexpected_keys"], info
    model.eval()
    x = inputs(s, model.config, gen)
    out = {f"in.{k}": v.contiguous().clone() for k, v in x.items()}
    with torch.no_grad():
        y = model(**x, output_hidden_states=True, output_attentions=s["attentions"], return_dict=True)
    for k, v in y.items():
        flat(f"out.{k}", v, out)
    assert "out.loss" in out and all(v.isfinite().all() for v in out.values())
    save_file(out, str(folder / "expected.safetensors"))
    edit(folder / "config.json", {}, s["dropped"])
    about = dict(name=name, model_class=s["cls"], head=s["head"], seed=s["seed"], reference="transformers",
                 transformers=transformers.__version__, torch=torch.__version__, python=platform.python_version(),
                 dtype="float32", attn_implementation="eager", inputs=sorted(x),
                 config_changed=s["published"], config_dropped=s["dropped"])
    (folder / "case.json").write_text(json.dumps(about, indent=1) + "\n")
    size = sum(f.stat().st_size for f in folder.iterdir())
    print(f"{name:26s} {sum(p.numel() for p in model.parameters()):7d} params  {len(out):3d} tensors  "
          f"loss {out['out.loss'].item():9.5f}  {size / 1024:5.0f} KiB")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("out", type=pathlib.Path)
    ap.add_argument("--only", nargs="*")
    a = ap.parse_args()
    failed = []
    for name, s in CASES.items():
        if a.only and name not in a.only:
            continue
        try:
            build(name, s, a.out)
        except Exception as e:  # report all, then fail
            failed.append(name)
            print(f"{name:26s} FAILED {type(e).__name__}: {str(e)[:600]}")
    if failed:
        raise SystemExit(f"{len(failed)} failed: {' '.join(failed)}")


if __name__ == "__main__":
    main()
