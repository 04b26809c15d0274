#!/usr/bin/env python3
"""Some scores of encoders whose config.json has the keys of published checkpoints that transformers reads as code of their own, or by other names.

    python3 make_published_encoders.py

Needs torch and transformers. Writes ../published-encoders.json: for each case the golden whose weights it has, how its config.json differs from the golden's,
and some scores of a sequence.
Of GTE's "ntk" the frequencies are put in place of those that transformers' class has, by the formula of the checkpoints' code.
"""
import json
from pathlib import Path

import torch
import transformers

GOLDENS = Path(__file__).resolve().parent.parent
OUT = GOLDENS / "published-encoders.json"
IDS = [[16, 76, 36, 79, 80, 12, 9, 33, 83, 31, 89, 5, 44, 62, 7, 98]]
AT = [[0, 3], [5, 100], [9, 41], [15, 0]]

NEW = {"architectures": ["NewForMaskedLM"], "model_type": "new", "attention_probs_dropout_prob": 0.0, "classifier_dropout": 0.0, "hidden_act": "gelu",
       "hidden_dropout_prob": 0.1, "hidden_size": 32, "initializer_range": 0.02, "intermediate_size": 45, "layer_norm_eps": 1e-12,
       "layer_norm_type": "layer_norm", "logn_attention_clip1": False, "logn_attention_scale": False, "max_position_embeddings": 24,
       "num_attention_heads": 4, "num_hidden_layers": 2, "pack_qkv": True, "pad_token_id": 1, "position_embedding_type": "rope",
       "type_vocab_size": 1, "unpad_inputs": False, "use_memory_efficient_attention": False, "vocab_size": 101}
NOMIC = {"activation_function": "swiglu", "architectures": ["NomicBertForPreTraining"], "attn_pdrop": 0.0, "causal": False, "dense_seq_output": True,
         "embd_pdrop": 0.0, "fused_bias_fc": True, "fused_dropout_add_ln": True, "initializer_range": 0.02, "layer_norm_epsilon": 1e-12,
         "max_trained_positions": 2048, "mlp_fc1_bias": False, "mlp_fc2_bias": False, "model_type": "nomic_bert", "n_embd": 32, "n_head": 4,
         "n_inner": 45, "n_layer": 2, "n_positions": 24, "pad_vocab_size_multiple": 101, "parallel_block": False, "parallel_block_tied_norm": False,
         "prenorm": False, "qkv_proj_bias": False, "reorder_and_upcast_attn": False, "resid_pdrop": 0.0, "rotary_emb_base": 500,
         "rotary_emb_fraction": 1.0, "rotary_emb_interleaved": False, "rotary_emb_scale_base": None, "rotary_scaling_factor": None,
         "scale_attn_by_inverse_layer_idx": False, "scale_attn_weights": True, "type_vocab_size": 2, "use_cache": True, "use_flash_attn": True,
         "use_rms_norm": False, "use_xentropy": True, "vocab_size": 97}


def config(golden):
    return json.loads((GOLDENS / golden / "config.json").read_text())


def without(settings, *keys):
    return {key: value for key, value in settings.items() if key not in keys}


def plain(theta, size):
    return theta ** (-torch.arange(0, size, 2, dtype=torch.float64) / size)


def ntk(theta, size, factor):
    return plain(theta * factor, size) / factor ** (2 / size)


MODERN = {**without(config("modernbert-thetas"), "local_rope_theta", "global_rope_theta", "global_attn_every_n_layers"),
          "layer_norm_eps": 1e-05, "position_embedding_type": "absolute", "causal_mask": False, "is_causal": False}
PARTIAL = {**config("nomic-bert-tokens"), "rope_parameters": {"rope_type": "default", "rope_theta": 200.0, "partial_rotary_factor": 0.5}}
DISTIL = config("distilbert-mlm")
DISTIL = {**without(DISTIL, "dim", "n_heads", "n_layers"), "hidden_size": DISTIL["dim"], "num_attention_heads": DISTIL["n_heads"],
          "num_hidden_layers": DISTIL["n_layers"]}

# The golden, the class, config.json, and the frequencies where they are not those of the class for that file.
CASES = {
    "gte": ("gte-mlm", "GteForMaskedLM", {**NEW, "rope_scaling": {"factor": 8.0, "type": "ntk"}, "rope_theta": 20000}, ntk(20000.0, 8, 8.0)),
    "gte-without-rope": ("gte-mlm", "GteForMaskedLM", {**NEW, "rope_scaling": None}, plain(10000.0, 8)),
    "nomic": ("nomic-bert-mlm", "NomicBertForMaskedLM", NOMIC, plain(500.0, 8)),
    "nomic-partial": ("nomic-bert-tokens", "NomicBertForTokenClassification", PARTIAL, None),
    "modernbert": ("modernbert-thetas", "ModernBertForMaskedLM", MODERN, None),
    "distilbert": ("distilbert-mlm", "DistilBertForMaskedLM", DISTIL, None),
}


def main():
    torch.set_num_threads(1)
    out = {}
    for name, (golden, kind, said, frequencies) in CASES.items():
        kind = getattr(transformers, kind)
        read = kind.config_class(**without(said if frequencies is None else config(golden), "model_type", "architectures"))
        model = kind.from_pretrained(GOLDENS / golden, config=read, attn_implementation="eager").eval()
        if frequencies is not None:
            model.base_model.rotary_emb.inv_freq.copy_(frequencies)
        with torch.no_grad():
            logits = model(torch.tensor(IDS)).logits[0]
        at = [[row, column % logits.shape[1]] for row, column in AT]
        before = config(golden)
        out[name] = {"golden": golden, "removed": [key for key in before if key not in said],
                     "set": {key: value for key, value in said.items() if key not in before or before[key] != value},
                     "at": at, "logits": [logits[row, column].item() for row, column in at]}
    about = {"transformers": transformers.__version__, "torch": torch.__version__, "ids": IDS, "cases": out}
    OUT.write_text(json.dumps(about, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
