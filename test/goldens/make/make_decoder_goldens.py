#!/usr/bin/env python3
"""Golden data of decoder families and settings that make_golden.py has no case of, made the same way, without gradients.

Usage: make_decoder_goldens.py OUT_DIR [--only NAME ...]
"""

import json
import pathlib
import sys

import torch
import transformers
from safetensors.torch import load_file, save_file

import make_golden
from make_golden import BOS, DEC, EOS, PAD, VOCAB, spec


def case(cls, config, seed, **settings):
    return spec(cls, config, "clm", seed=seed, grads=False, generate=True, **settings)


def dec(cls, config, seed, **settings):
    return case(cls, config, seed, **{**DEC, **settings})


def moe(cls, config, seed, **settings):
    return dec(cls, config, seed, **{"num_key_value_heads": 2, "intermediate_size": 32, **settings})


NEOX = {**DEC, "rotary_pct": 0.5}
FALCON = dict(vocab_size=VOCAB, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, max_position_embeddings=64,
              ffn_hidden_size=64, bos_token_id=BOS, eos_token_id=EOS, pad_token_id=PAD, hidden_dropout=0.0,
              attention_dropout=0.0)
GPT2 = dict(vocab_size=VOCAB, n_positions=64, n_embd=32, n_layer=2, n_head=4, resid_pdrop=0.0, embd_pdrop=0.0,
            attn_pdrop=0.0, bos_token_id=BOS, eos_token_id=EOS)
GEMMA3 = dict(num_key_value_heads=2, head_dim=16, sliding_window=4,
              query_pre_attn_scalar=16, rope_parameters={
                  "full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1000000.0},
                  "sliding_attention": {"rope_type": "default", "rope_theta": 10000.0}})

CASES = {
    "gpt-neox": case("GPTNeoXForCausalLM", "GPTNeoXConfig", 31, **NEOX),
    "gpt-neox-sequential": case("GPTNeoXForCausalLM", "GPTNeoXConfig", 32, use_parallel_residual=False,
                                attention_bias=False, **NEOX),
    "gpt2-scaled": case("GPT2LMHeadModel", "GPT2Config", 33, n_inner=48, activation_function="relu",
                        scale_attn_by_inverse_layer_idx=True, **GPT2),
    "bloom-heads": case("BloomForCausalLM", "BloomConfig", 34, vocab_size=VOCAB, hidden_size=24, n_layer=2, n_head=6,
                        hidden_dropout=0.0, attention_dropout=0.0, bos_token_id=BOS, eos_token_id=EOS, pad_token_id=PAD,
                        apply_residual_connection_post_layernorm=True),
    "mistral": dec("MistralForCausalLM", "MistralConfig", 35, num_key_value_heads=2, sliding_window=4),
    "qwen2": dec("Qwen2ForCausalLM", "Qwen2Config", 36, num_key_value_heads=2, use_sliding_window=True, sliding_window=5,
                 max_window_layers=1),
    "qwen3": dec("Qwen3ForCausalLM", "Qwen3Config", 37, num_key_value_heads=2, head_dim=16, tie_word_embeddings=True),
    "phi3": dec("Phi3ForCausalLM", "Phi3Config", 38, num_key_value_heads=2, partial_rotary_factor=0.5, sliding_window=6),
    "phi3-longrope": dec("Phi3ForCausalLM", "Phi3Config", 46, original_max_position_embeddings=64, rope_scaling={
        "rope_type": "longrope", "short_factor": [1.0, 1.1, 1.3, 1.6], "long_factor": [1.5, 2.0, 3.0, 4.0]}),
    "llama-biases": dec("LlamaForCausalLM", "LlamaConfig", 39, num_key_value_heads=1, attention_bias=True, mlp_bias=True,
                        rope_scaling={"rope_type": "linear", "factor": 2.5}),
    "llama-yarn": dec("LlamaForCausalLM", "LlamaConfig", 40, rope_theta=5000.0,
                      rope_scaling={"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}),
    "gemma": dec("GemmaForCausalLM", "GemmaConfig", 41, num_key_value_heads=1, head_dim=16),
    "gemma2": dec("Gemma2ForCausalLM", "Gemma2Config", 42, num_key_value_heads=2, head_dim=16, sliding_window=4,
                  query_pre_attn_scalar=12, attn_logit_softcapping=3.0, final_logit_softcapping=2.0),
    "starcoder2": dec("Starcoder2ForCausalLM", "Starcoder2Config", 57, hidden_size=16, intermediate_size=24, num_attention_heads=2,
                      num_key_value_heads=1, residual_dropout=0.0, embedding_dropout=0.0, attention_dropout=0.0),
    "starcoder2-window": dec("Starcoder2ForCausalLM", "Starcoder2Config", 58, hidden_size=16, intermediate_size=24, num_attention_heads=2,
                             num_key_value_heads=1, num_hidden_layers=1, use_bias=False, tie_word_embeddings=False, sliding_window=4),
    "gemma3": dec("Gemma3ForCausalLM", "Gemma3TextConfig", 59, num_hidden_layers=2, layer_types=["sliding_attention", "full_attention"], **GEMMA3),
    "falcon": case("FalconForCausalLM", "FalconConfig", 43, multi_query=True, parallel_attn=True, bias=False,
                   new_decoder_architecture=False, alibi=False, **FALCON),
    "falcon-new": case("FalconForCausalLM", "FalconConfig", 44, num_kv_heads=2, new_decoder_architecture=True, bias=False,
                       alibi=False, **FALCON),
    "falcon-alibi": case("FalconForCausalLM", "FalconConfig", 45, multi_query=False, parallel_attn=False, bias=True,
                         new_decoder_architecture=False, alibi=True, **FALCON),
}

CASES.update({
    "mixtral-window": moe("MixtralForCausalLM", "MixtralConfig", 47, num_local_experts=3, num_experts_per_tok=2,
                          sliding_window=4, router_aux_loss_coef=0.5),
    "qwen2-moe": moe("Qwen2MoeForCausalLM", "Qwen2MoeConfig", 48, num_hidden_layers=3, num_experts=5,
                     num_experts_per_tok=3, moe_intermediate_size=32, shared_expert_intermediate_size=48,
                     mlp_only_layers=[1], use_sliding_window=True, sliding_window=5, max_window_layers=3,
                     router_aux_loss_coef=0.25),
    "qwen3-moe": moe("Qwen3MoeForCausalLM", "Qwen3MoeConfig", 49, num_hidden_layers=3, num_experts=5, head_dim=16,
                     num_experts_per_tok=2, moe_intermediate_size=32, decoder_sparse_step=2, norm_topk_prob=True,
                     attention_bias=True, router_aux_loss_coef=0.5, use_sliding_window=True, sliding_window=6),
})

# Keys as versions before 5 of transformers wrote them: what they mean is the same.
OLD_KEYS = {
    "llama-yarn": lambda c: c.update(rope_theta=c["rope_parameters"].pop("rope_theta"),
                                     rope_scaling=dict(c.pop("rope_parameters"))),
    "qwen2-moe": lambda c: c.pop("layer_types"),
    "gpt-neox": lambda c: c.update(rotary_emb_base=c["rope_parameters"]["rope_theta"],
                                   rotary_pct=c.pop("rope_parameters")["partial_rotary_factor"]),
}


def old_keys(root):
    for name, change in OLD_KEYS.items():
        path = root / name / "config.json"
        if path.exists():
            config = json.loads(path.read_text())
            if "rope_parameters" in config:
                change(config)
                path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def scaled_dot_product(root):
    """The plain attention of transformers 5.18 adds Falcon's ALiBi twice, its other one once, as the published model does."""
    folder = root / "falcon-alibi"
    if not folder.exists():
        return
    model = transformers.FalconForCausalLM.from_pretrained(folder, attn_implementation="sdpa").eval()
    path = str(folder / "expected.safetensors")
    out = {k: v for k, v in load_file(path).items() if k.startswith("in.")}
    with torch.no_grad():
        y = model(**{k[3:]: v for k, v in out.items()}, output_hidden_states=True, return_dict=True)
    for key in ("logits", "loss", "hidden_states"):
        make_golden.flat("out." + key, y[key], out)
    save_file(out, path)
    case = json.loads((folder / "case.json").read_text())
    case.update(generations=[], attention="sdpa")
    (folder / "case.json").write_text(json.dumps(case, indent=1) + "\n")


def fused_names(root):
    """Experts by the names that the modules of transformers 5 have, all of a layer in one tensor."""
    folder = root / "qwen3-moe"
    if folder.exists():
        model = transformers.Qwen3MoeForCausalLM.from_pretrained(folder)
        state = {k: v.contiguous() for k, v in model.state_dict().items()}
        save_file(state, str(folder / "model.safetensors"), metadata={"format": "pt"})


def with_router_logits(root):
    """generate of transformers 5.18 fails where the configuration has this: it is written when all else is done."""
    path = root / "qwen2-moe" / "config.json"
    if path.exists():
        path.write_text(json.dumps({**json.loads(path.read_text()), "output_router_logits": True}, indent=2,
                                   sort_keys=True) + "\n")


def beyond_the_original_length(root):
    """Texts that come to be longer than LongRoPE's original length, where all keys turn another way, and one that begins so. Without a
    cache: transformers 5.18 gives the one that it has up, but computes no more than the last token again."""
    folder = root / "phi3-longrope"
    if not folder.exists():
        return
    model = transformers.Phi3ForCausalLM.from_pretrained(folder).eval()
    random = torch.Generator().manual_seed(3)
    case = json.loads((folder / "case.json").read_text())
    for length, new, settings in ((58, 30, {"do_sample": False}), (70, 20, {"do_sample": False}),
                                  (60, 16, {"do_sample": False, "num_beams": 3})):
        prompt = torch.randint(3, VOCAB, (1, length), generator=random)
        with torch.no_grad():
            output = model.generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=new, use_cache=False,
                                    **settings)
        case["generations"].append(dict(settings=settings, prompt=prompt.tolist(), attention_mask=None, max_new_tokens=new,
                                        output=output.tolist()))
    (folder / "case.json").write_text(json.dumps(case, indent=1) + "\n")


if __name__ == "__main__":
    make_golden.main(CASES)
    scaled_dot_product(pathlib.Path(sys.argv[1]))
    fused_names(pathlib.Path(sys.argv[1]))
    with_router_logits(pathlib.Path(sys.argv[1]))
    old_keys(pathlib.Path(sys.argv[1]))
    beyond_the_original_length(pathlib.Path(sys.argv[1]))
