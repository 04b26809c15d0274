#!/usr/bin/env python3
"""Golden data of encoder-decoders, made as make_golden.py does: its cases without gradients, and families and settings that it has none of.

Usage: make_encoder_decoder_goldens.py OUT_DIR [--only NAME ...]
"""

import make_golden
from make_golden import BART, EOS, PAD, T5, spec

NAMES = ["t5", "mt5", "bart", "marian", "switch"]


def case(cls, config, seed, **settings):
    return spec(cls, config, "seq2seq", seed=seed, grads=False, generate=True, **settings)


# One layer a side: what differs from the cases above is outside of the layers or in their order.
SMALL = {**BART, "d_model": 24, "encoder_layers": 1, "decoder_layers": 1, "decoder_attention_heads": 4,
         "encoder_ffn_dim": 20, "decoder_ffn_dim": 28, "max_position_embeddings": 32}

CASES = {
    **{name: {**make_golden.CASES[name], "grads": False} for name in NAMES},
    "mbart": case("MBartForConditionalGeneration", "MBartConfig", 51, **{**SMALL, "scale_embedding": True}),
    "pegasus": case("PegasusForConditionalGeneration", "PegasusConfig", 52, **{
        **SMALL, "activation_function": "relu", "scale_embedding": True, "decoder_start_token_id": PAD}),
    "m2m-100": case("M2M100ForConditionalGeneration", "M2M100Config", 53, **{
        **SMALL, "pad_token_id": 1, "bos_token_id": 0, "forced_bos_token_id": 17}),
    "blenderbot": case("BlenderbotForConditionalGeneration", "BlenderbotConfig", 54, encoder_no_repeat_ngram_size=0, **SMALL),
    # The most frequent expert of a text has no room for all of its tokens, on both sides.
    "switch-dropped": case("SwitchTransformersForConditionalGeneration", "SwitchTransformersConfig", 56, std=0.6, **{
        **T5, "d_model": 16, "d_kv": 8, "d_ff": 12, "num_experts": 3, "expert_capacity": 3, "num_sparse_encoder_layers": 1,
        "num_sparse_decoder_layers": 1, "router_jitter_noise": 0.0}),
    "umt5": case("UMT5ForConditionalGeneration", "UMT5Config", 55, **{
        **T5, "d_model": 24, "d_kv": 8, "d_ff": 20, "feed_forward_proj": "gated-gelu"}),
}

if __name__ == "__main__":
    make_golden.main(CASES)
