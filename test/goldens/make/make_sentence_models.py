#!/usr/bin/env python3
"""Small models of sentence-transformers, each with settings that published ones have, and what that library makes of texts.

    python3 make_sentence_models.py

Needs torch, transformers and sentence-transformers. Writes ../sentence-models: `base` has the files of a transformer (8 wide, one layer, random) that all
share, every other folder what is laid over them, and `expected.json`: the library's version, and calls with their vectors.
"""
import json
import shutil
import tempfile
from pathlib import Path

import safetensors.torch
import sentence_transformers
import torch
import transformers
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

OUT = Path(__file__).resolve().parent.parent / "sentence-models"
TEXTS = ["Hello World!", "a b c d e f g h i j k l m n o p", "x"]
MODULES = "sentence_transformers.models."
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def base():
    vocab = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *LETTERS, *"HW!:.", *["##" + c for c in LETTERS]]
    ids = {token: i for i, token in enumerate(vocab)}
    tokenizer = Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    tokenizer.add_special_tokens(vocab[:5])
    folder = OUT / "base"
    folder.mkdir(parents=True)
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=40, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]",
        mask_token="[MASK]").save_pretrained(folder)
    torch.manual_seed(17)
    config = transformers.BertConfig(vocab_size=len(vocab), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
                                     max_position_embeddings=40, initializer_range=0.5)
    transformers.BertModel(config).eval().save_pretrained(folder)


def t5(folder):
    """An encoder of T5 with a vocabulary of its own, in place of the base."""
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", -9.0), ("\u2581", -2.5), ("\u2581Hello", -4.0), ("lo", -4.5), ("or", -4.5), ("ld", -4.5)]
    pieces += [(c, -5.0 - i / 8) for i, c in enumerate(LETTERS + "HW")]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    tokenizer.add_special_tokens(["<pad>", "</s>", "<unk>"])
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, model_max_length=40, pad_token="<pad>", unk_token="<unk>", eos_token="</s>").save_pretrained(folder)
    torch.manual_seed(18)
    config = transformers.T5Config(vocab_size=len(pieces), d_model=8, d_kv=3, d_ff=20, num_layers=2, num_heads=2, pad_token_id=0, eos_token_id=1,
                                   decoder_start_token_id=0, relative_attention_num_buckets=8, relative_attention_max_distance=12)
    model = transformers.T5EncoderModel(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape) * 0.5 + (1 if parameter.dim() == 1 else 0))
    model.save_pretrained(folder)


def gemma3(folder):
    """A decoder whose tokens see both ways, in place of the base's encoder."""
    torch.manual_seed(19)
    config = transformers.Gemma3TextConfig(
        vocab_size=63, hidden_size=8, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, head_dim=4, intermediate_size=12,
        max_position_embeddings=40, pad_token_id=0, bos_token_id=2, eos_token_id=3, sliding_window=4, query_pre_attn_scalar=4,
        use_bidirectional_attention=True, layer_types=["sliding_attention", "full_attention"])
    model = transformers.Gemma3TextModel(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape) * 0.5)
    model.save_pretrained(folder)


def tensors(seed, **shapes):
    torch.manual_seed(seed)
    return {name.replace("__", "."): torch.randn(shape) * 0.5 for name, shape in shapes.items()}


def flags(**on):
    """The older keys of pooling."""
    modes = ["cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken"]
    return {"word_embedding_dimension": 8, **{"pooling_mode_" + m: m in on for m in modes}}


def dense(inputs, outputs, activation, bias=True, **more):
    return {"in_features": inputs, "out_features": outputs, "bias": bias, "activation_function": "torch.nn.modules." + activation, **more}


MEAN = {"pooling_mode": "mean", "embedding_dimension": 8}


def case(name, modules, calls=({},), settings=None, settings_name="sentence_bert_config.json", config=None, subfolder="", first=None,
         transformer=None):
    """modules: (folder, class, config or None, tensors or None) behind the transformer; transformer: writes another than the base's."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        listed = [{"idx": 0, "name": "0", "path": subfolder, "type": first or MODULES + "Transformer"}]
        for i, (path, kind, said, weights) in enumerate(modules):
            listed.append({"idx": i + 1, "name": str(i + 1), "path": path, "type": kind if "." in kind else MODULES + kind})
            if said is not None:
                (folder / path).mkdir(parents=True)
                (folder / path / "config.json").write_text(json.dumps(said))
            if weights is not None:
                safetensors.torch.save_file(weights, folder / path / "model.safetensors")
        (folder / "modules.json").write_text(json.dumps(listed, indent=1))
        (folder / subfolder).mkdir(exist_ok=True)
        (folder / subfolder / settings_name).write_text(json.dumps(settings or {"max_seq_length": 40, "do_lower_case": False}))
        if config is not None:
            (folder / "config_sentence_transformers.json").write_text(json.dumps(config))
        if transformer is not None:
            transformer(folder / subfolder)
        shutil.copytree(folder, OUT / name)
        for file in (OUT / "base").iterdir():
            if not (folder / subfolder / file.name).exists():
                shutil.copy(file, folder / subfolder)
        model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
        made = []
        for call in calls:
            how = dict(call)
            method = getattr(model, how.pop("method", "encode"))
            made.append({**call, "vectors": [[round(x, 7) for x in v] for v in method(TEXTS, **how).tolist()]})
        about = {"sentence_transformers": sentence_transformers.__version__, "transformer": subfolder, "texts": TEXTS, "calls": made}
        (OUT / name / "expected.json").write_text(json.dumps(about) + "\n")


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    base()
    normalize = ("z_last", "Normalize", None, None)
    for mode in ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]:
        case("pooling-" + mode, [("p", "Pooling", {"embedding_dimension": 8, "pooling_mode": mode}, None)])
    case("pooling-all-old", [("1_Pooling", "Pooling", flags(cls_token=1, mean_tokens=1, max_tokens=1, mean_sqrt_len_tokens=1,
                                                             weightedmean_tokens=1, lasttoken=1), None), normalize])
    case("pooling-none-old", [("1_Pooling", "Pooling", flags(), None)])
    case("pooling-several", [("1_Pooling", "Pooling", {"embedding_dimension": 8, "pooling_mode": ["lasttoken", "mean", "cls"]}, None)])
    prompts = {"prompts": {"query": "query: ", "document": "abc ", "other": "x. "}, "default_prompt_name": "other", "similarity_fn_name": "dot"}
    calls = [{}, {"method": "encode_query"}, {"method": "encode_document"}, {"prompt_name": "document"}, {"prompt": "zz "}, {"prompt": ""}]
    case("prompts", [("1_Pooling", "Pooling", MEAN, None), normalize], calls, config=prompts)
    every = {"embedding_dimension": 8, "pooling_mode": ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"], "include_prompt": False}
    case("prompts-not-pooled", [("1_Pooling", "Pooling", every, None)], calls, config=prompts)
    case("truncate-dim", [("1_Pooling", "Pooling", MEAN, None)], [{}, {"normalize_embeddings": True}, {"truncate_dim": 3}],
         config={"truncate_dim": 5})
    case("dense", [("1_Pooling", "Pooling", MEAN, None), ("2_Dense", "Dense", dense(8, 6, "activation.Tanh"),
                                                        tensors(1, linear__weight=(6, 8), linear__bias=(6,))), normalize])
    case("dense-without-bias", [("1_Pooling", "Pooling", MEAN, None), ("2_Dense", "Dense", dense(8, 5, "linear.Identity", False),
                                                                     tensors(2, linear__weight=(5, 8)))])
    case("dense-gelu-residual", [
        ("a", "Pooling", MEAN, None),
        ("b", "Dense", dense(8, 8, "activation.GELU", use_residual=True), tensors(3, linear__weight=(8, 8), linear__bias=(8,))),
        ("c", "Dense", dense(8, 4, "activation.ReLU", use_residual=True), tensors(4, linear__weight=(4, 8), linear__bias=(4,), residual__weight=(4, 8)))])
    case("dense-of-tokens", [
        ("a", "sentence_transformers.base.modules.dense.Dense", dense(8, 7, "activation.Sigmoid", module_input_name="token_embeddings"),
         tensors(5, linear__weight=(7, 8), linear__bias=(7,))),
        ("b", "sentence_transformers.sentence_transformer.modules.pooling.Pooling", {"embedding_dimension": 7, "pooling_mode": "max"}, None),
        ("c", "sentence_transformers.base.modules.normalize.Normalize", {"module_input_name": "sentence_embedding"}, None)])
    case("layer-norm-dropout", [("a", "Pooling", MEAN, None), ("b", "Dropout", {"dropout": 0.3}, None),
                                ("c", "LayerNorm", {"dimension": 8}, tensors(6, norm__weight=(8,), norm__bias=(8,)))])
    case("do-lower-case", [("1_Pooling", "Pooling", MEAN, None)], settings={"max_seq_length": 7, "do_lower_case": True},
         settings_name="sentence_roberta_config.json")
    case("folders", [("first/in/line", "Pooling", {"embedding_dimension": 8, "pooling_mode": "max"}, None), normalize], subfolder="0_Transformer",
         settings={"max_seq_length": 9}, settings_name="sentence_xlnet_config.json")
    case("sentence-t5", [("1_Pooling", "Pooling", flags(mean_tokens=1), None),
                         ("2_Dense", "Dense", dense(8, 6, "linear.Identity", False), tensors(7, linear__weight=(6, 8))),
                         ("3_Normalize", "Normalize", None, None)], transformer=t5)
    case("sentence-gemma3", [("1_Pooling", "Pooling", flags(mean_tokens=1, lasttoken=1), None),
                             ("2_Dense", "Dense", dense(16, 6, "linear.Identity", False), tensors(8, linear__weight=(6, 16))),
                             ("3_Normalize", "Normalize", None, None)],
         [{}, {"prompt_name": "query"}], config={"prompts": {"query": "a: ", "document": ""}, "similarity_fn_name": "cosine"},
         transformer=gemma3)


if __name__ == "__main__":
    main()
