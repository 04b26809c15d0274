#!/usr/bin/env python3
"""Writes golden models as GGUF files in F32, with the names that the `gguf` package has for their tensors and with what llama.cpp's
converter does to them. What a model computes is then the same, so that the folder's expected.safetensors holds for both. Goldens with settings
that GGUF has no words for are made anew, without them.

Usage: make_gguf.py GOLDENS_DIR OUT_DIR [--only NAME ...]
"""

import json
import pathlib
import re
import shutil
import sys
import tempfile

import gguf
import make_golden
import numpy as np
from gguf import MODEL_ARCH as A
from make_decoder_goldens import GEMMA3, dec, moe
from make_encoder_decoder_goldens import case as seq2seq
from safetensors.numpy import load_file

ARCH = {"llama": A.LLAMA, "mistral": A.LLAMA, "mixtral": A.LLAMA, "qwen2": A.QWEN2, "qwen2_moe": A.QWEN2MOE, "qwen3": A.QWEN3,
        "qwen3_moe": A.QWEN3MOE, "gemma": A.GEMMA, "gemma2": A.GEMMA2, "phi3": A.PHI3, "falcon": A.FALCON, "gpt2": A.GPT2,
        "gpt_neox": A.GPTNEOX, "bloom": A.BLOOM, "cohere": A.COMMAND_R, "starcoder2": A.STARCODER2, "gemma3_text": A.GEMMA3, "bert": A.BERT, "nomic_bert": A.NOMIC_BERT}
CASES = ["decoders/" + n for n in """bloom cohere falcon falcon-new gemma gpt-neox gpt-neox-sequential gpt2 llama-biases llama-gqa
llama-yarn phi3 phi3-longrope qwen3 starcoder2""".split()] + ["bert-tokens", "nomic-bert-tokens"]


SMALL_T5 = {**make_golden.T5, "d_model": 16, "d_kv": 8, "d_ff": 20, "num_heads": 2, "num_decoder_layers": 1, "relative_attention_max_distance": 128}
SEQ2SEQ = {
    "t5": seq2seq("T5ForConditionalGeneration", "T5Config", 66, **SMALL_T5),
    "t5-gated": seq2seq("T5ForConditionalGeneration", "T5Config", 67, **{**SMALL_T5, "feed_forward_proj": "gated-gelu", "tie_word_embeddings": False}),
}
# Models whose files a writer of GGUF is tried with.
SMALL = {"hidden_size": 16, "intermediate_size": 20, "num_attention_heads": 2, "num_key_value_heads": 1}
MODELS = {
    "gemma3": dec("Gemma3ForCausalLM", "Gemma3TextConfig", 60, num_hidden_layers=6, **{**GEMMA3, **SMALL}),
    "mixtral": moe("MixtralForCausalLM", "MixtralConfig", 65, num_local_experts=3, num_experts_per_tok=2, **SMALL),
    "command-r-plus": dec("CohereForCausalLM", "CohereConfig", 68, num_hidden_layers=1, use_qk_norm=True, logit_scale=1.0, **SMALL),
}
OWN = {
    **{"../gguf-seq2seq/" + name: case for name, case in SEQ2SEQ.items()},
    "qwen2": dec("Qwen2ForCausalLM", "Qwen2Config", 61, num_key_value_heads=2, tie_word_embeddings=True),
    "gemma2": dec("Gemma2ForCausalLM", "Gemma2Config", 62, num_key_value_heads=2, head_dim=16, query_pre_attn_scalar=16, sliding_window=4,
                  attn_logit_softcapping=3.0, final_logit_softcapping=2.0),
    "qwen2-moe": moe("Qwen2MoeForCausalLM", "Qwen2MoeConfig", 63, num_hidden_layers=1, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=32,
                     shared_expert_intermediate_size=48),
    "qwen3-moe": moe("Qwen3MoeForCausalLM", "Qwen3MoeConfig", 64, num_hidden_layers=1, num_experts=4, head_dim=16, num_experts_per_tok=2,
                     moe_intermediate_size=32, norm_topk_prob=True),
}


def paired(w, heads):
    """LlamaModel.permute of the converter: each head's halves become neighbours."""
    return w.reshape(heads, 2, w.shape[0] // heads // 2, *w.shape[1:]).swapaxes(1, 2).reshape(w.shape)


def ungrouped(w, heads, kv):
    """All queries, then all keys, then all values."""
    each = heads // kv
    size = w.shape[0] // (heads + 2 * kv)
    g = w.reshape(kv, each + 2, size, *w.shape[1:])
    return np.concatenate([g[:, :each].reshape(-1, *w.shape[1:]), g[:, each].reshape(-1, *w.shape[1:]), g[:, each + 1].reshape(-1, *w.shape[1:])])


def rope_freqs(c, size):
    """The converter's factors of Llama 3.1's rotary scaling."""
    rope = c["rope_parameters"]
    base, factor = rope["rope_theta"], rope["factor"]
    low, high, old = rope["low_freq_factor"], rope["high_freq_factor"], rope["original_max_position_embeddings"]
    out = []
    for freq in 1.0 / (base ** (np.arange(0, size, 2, dtype=np.float32) / size)):
        wave = 2 * np.pi / freq
        if wave < old / high:
            out.append(1)
        elif wave > old / low:
            out.append(factor)
        else:
            smooth = (old / wave - low) / (high - low)
            out.append(1 / ((1 - smooth) / factor + smooth))
    return np.array(out, dtype=np.float32)


def write_t5(folder, path):
    c = json.loads((folder / "config.json").read_text())
    w = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[A.T5])
    w.add_context_length(512)
    w.add_embedding_length(c["d_model"])
    w.add_feed_forward_length(c["d_ff"])
    w.add_block_count(c["num_layers"])
    w.add_decoder_block_count(c["num_decoder_layers"])
    w.add_head_count(c["num_heads"])
    w.add_key_length(c["d_kv"])
    w.add_value_length(c["d_kv"])
    w.add_layer_norm_eps(c["layer_norm_epsilon"])
    w.add_layer_norm_rms_eps(c["layer_norm_epsilon"])
    w.add_relative_attn_buckets_count(c["relative_attention_num_buckets"])
    w.add_decoder_start_token_id(c["decoder_start_token_id"])
    assert c["relative_attention_max_distance"] == 128
    names = gguf.get_tensor_name_map(A.T5, max(c["num_layers"], c["num_decoder_layers"]))
    tensors = load_file(folder / "model.safetensors")
    if not c["scale_decoder_outputs"]:
        # T5 1.1, whose files have an output layer of their own; the library ties what it makes anew.
        tensors["lm_head.weight"] = tensors["shared.weight"]
    for name, x in sorted(tensors.items()):
        if name.endswith(".embed_tokens.weight"):
            continue
        new = names.get_name(name, try_suffixes=(".weight", ".bias"))
        assert new, f"{folder}: no name for {name}"
        w.add_tensor(new, x.astype(np.float32))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def write(folder, path):
    c = json.loads((folder / "config.json").read_text())
    t = c["model_type"]
    arch = ARCH[t]
    get = lambda *keys: next((c[k] for k in keys if c.get(k) is not None), None)
    layers = get("num_hidden_layers", "n_layer")
    hidden = get("hidden_size", "n_embd")
    heads = get("num_attention_heads", "n_head")
    kv = get("num_key_value_heads", "num_kv_heads") or heads
    if t == "falcon" and not c.get("new_decoder_architecture"):
        kv = 1 if c.get("multi_query", True) else heads
    size = c.get("head_dim") or hidden // heads
    rope = c.get("rope_parameters") or {}
    rope = rope.get("full_attention", rope)
    rope = {**({} if not c.get("rope_scaling") else c["rope_scaling"]), **rope}
    w = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[arch])
    w.add_block_count(layers)
    w.add_context_length(get("max_position_embeddings", "n_positions", "seq_length") or 2048)
    w.add_embedding_length(hidden)
    w.add_feed_forward_length(get("ffn_hidden_size", "n_inner") or c.get("intermediate_size") or 4 * hidden)
    w.add_head_count(heads)
    w.add_head_count_kv(kv)
    if "head_dim" in c and c["head_dim"]:
        w.add_key_length(size)
        w.add_value_length(size)
    for key, add in {"rms_norm_eps": w.add_layer_norm_rms_eps, "layer_norm_eps": w.add_layer_norm_eps,
                     "layer_norm_epsilon": w.add_layer_norm_eps, "norm_epsilon": w.add_layer_norm_eps, "logit_scale": w.add_logit_scale,
                     "num_experts_per_tok": w.add_expert_used_count, "moe_intermediate_size": w.add_expert_feed_forward_length,
                     "shared_expert_intermediate_size": w.add_expert_shared_feed_forward_length,
                     "attn_logit_softcapping": w.add_attn_logit_softcapping,
                     "final_logit_softcapping": w.add_final_logit_softcapping}.items():
        if c.get(key) is not None:
            add(c[key])
    experts = get("num_local_experts", "num_experts")
    if experts:
        w.add_expert_count(experts)
    if t in ("gemma2", "gemma3_text", "phi3") and c.get("sliding_window"):
        w.add_sliding_window(c["sliding_window"])
    theta = rope.get("rope_theta", c.get("rope_theta", c.get("rotary_emb_base")))
    if theta is not None:
        w.add_rope_freq_base(theta)
    share = rope.get("partial_rotary_factor", c.get("partial_rotary_factor", c.get("rotary_pct", 1)))
    if t not in ("gpt2", "bloom", "bert"):
        w.add_rope_dimension_count(int(size * share))
    kind = rope.get("rope_type", rope.get("type", "default"))
    if kind in ("linear", "yarn"):
        w.add_rope_scaling_type(gguf.RopeScalingType.YARN if kind == "yarn" else gguf.RopeScalingType.LINEAR)
        w.add_rope_scaling_factor(rope["factor"])
        if kind == "yarn":
            w.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
    if kind == "longrope":
        old = rope.get("original_max_position_embeddings", c.get("original_max_position_embeddings"))
        w.add_rope_scaling_orig_ctx_len(old)
        factor = c["max_position_embeddings"] / old
        w.add_rope_scaling_attn_factors(rope.get("attention_factor") or (1.0 if factor <= 1 else (1 + np.log(factor) / np.log(old)) ** 0.5))
        w.add_tensor("rope_factors_long.weight", np.array(rope["long_factor"], dtype=np.float32))
        w.add_tensor("rope_factors_short.weight", np.array(rope["short_factor"], dtype=np.float32))
    if kind == "llama3":
        w.add_tensor("rope_freqs.weight", rope_freqs(c, size))
    if t == "gpt_neox":
        w.add_parallel_residual(c.get("use_parallel_residual", True))
    names = gguf.get_tensor_name_map(arch, layers)
    tensors = load_file(folder / "model.safetensors")
    together = {}
    for name, x in sorted(tensors.items()):
        x = x.astype(np.float32)
        if re.search(r"(inv_freq|masked_bias|position_ids|classifier\.(weight|bias)|pooler\..*)$", name) or t in ("gpt2", "gpt_neox") and re.search(r"\.att(n|ention)\.bias$", name):
            continue
        name = re.sub(r"^(bert|nomic_bert)\.", "", name)
        name = name.removeprefix("transformer.") if t == "bloom" else name
        fused = re.match(r"(.*\.experts)\.(gate_up_proj|down_proj)$", name)
        if fused:
            parts = np.split(x, 2, axis=1) if fused[2] == "gate_up_proj" else [x]
            for part, y in zip(("gate_proj", "up_proj") if len(parts) == 2 else ("down_proj",), parts):
                w.add_tensor(names.get_name(f"{fused[1]}.{part}") + ".weight", np.ascontiguousarray(y))
            continue
        one = re.match(r"(.*\.experts)\.(\d+)\.(.*)\.weight$", name)
        if one:
            together.setdefault(f"{one[1]}.{one[3]}", {})[int(one[2])] = x
            continue
        if name.endswith(("q_proj.weight", "q_proj.bias")) and arch == A.LLAMA:
            x = paired(x, heads)
        if name.endswith(("k_proj.weight", "k_proj.bias")) and arch == A.LLAMA:
            x = paired(x, kv)
        if "query_key_value" in name:
            x = ungrouped(x, heads, kv)
        if t == "gpt2" and name.endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight")):
            x = np.ascontiguousarray(x.T)
        if t in ("gemma", "gemma2", "gemma3_text") and name.endswith("norm.weight"):
            x = x + 1
        if name.endswith("shared_expert_gate.weight"):
            x = x.reshape(-1)
        if name == "lm_head.weight" and c.get("tie_word_embeddings", t in ("gpt2", "bloom", "falcon", "gemma", "gemma2", "gemma3_text", "cohere", "starcoder2")):
            continue
        new = names.get_name(name, try_suffixes=(".weight", ".bias"))
        assert new, f"{folder}: no name for {name}"
        w.add_tensor(new, np.ascontiguousarray(x))
    for name, parts in sorted(together.items()):
        new = names.get_name(name)
        assert new, f"{folder}: no name for {name}"
        w.add_tensor(new + ".weight", np.stack([parts[i] for i in range(len(parts))]))
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def main():
    goldens, out = map(pathlib.Path, sys.argv[1:3])
    only = sys.argv[4:]
    out.mkdir(parents=True, exist_ok=True)
    for name in CASES:
        if not only or name in only:
            write(goldens / name, out / f"{name.split('/')[-1]}.gguf")
    for name, case in MODELS.items():
        if not only or name in only:
            make_golden.build(name, case, out.parent / "gguf-models")
            write(out.parent / "gguf-models" / name, out / f"{name}.gguf")
    for name, case in OWN.items():
        if not only or name in only:
            with tempfile.TemporaryDirectory() as made:
                make_golden.build(name, case, pathlib.Path(made))
                (out / name).mkdir(exist_ok=True, parents=True)
                (write_t5 if case["head"] == "seq2seq" else write)(pathlib.Path(made) / name, out / name / "model.gguf")
                for file in ("expected.safetensors", "case.json"):
                    shutil.copy(pathlib.Path(made) / name / file, out / name)


main()
