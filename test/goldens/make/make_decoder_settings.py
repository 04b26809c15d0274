#!/usr/bin/env python3
"""Very small decoders with settings that no golden has: their configuration, their weights in units of 1/64, and transformers' logits, their loss, and its gradient for the norms of
heads.

    python3 make_decoder_settings.py

Needs torch and transformers. Writes ../decoder-settings.json.
"""
import json
from pathlib import Path

import torch
import transformers

SIZES = dict(vocab_size=11, hidden_size=8, intermediate_size=10, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=1,
             max_position_embeddings=32, pad_token_id=0, bos_token_id=1, eos_token_id=2, tie_word_embeddings=True)
# A class, its settings, and keys that config.json leaves out.
CASES = {
    "command-r-plus": ("Cohere", dict(use_qk_norm=True, head_dim=6, layer_norm_eps=0.01, logit_scale=1.0), ["rope_parameters"]),
    "starcoder2-head": ("Starcoder2", dict(head_dim=6), []),
    "gemma3-softcap": ("Gemma3Text", dict(head_dim=4, query_pre_attn_scalar=4, attn_logit_softcapping=0.5, layer_types=["full_attention"]), []),
}
IDS = [[3, 7, 4, 10, 5, 9], [6, 6, 8, 3, 1, 7]]


def main():
    cases = []
    for name, (kind, settings, without) in CASES.items():
        torch.manual_seed(len(name))
        config = getattr(transformers, kind + "Config")(**{**SIZES, **settings})
        config._attn_implementation = "eager"
        model = transformers.AutoModelForCausalLM.from_config(config).eval()
        state = {k: v for k, v in model.state_dict().items() if k != "lm_head.weight"}
        with torch.no_grad():
            for value in state.values():
                value.copy_((torch.randn(value.shape) * 32).round().clamp(-99, 99) / 64)
        ids = torch.tensor(IDS)
        y = model(ids, labels=ids)
        y.loss.backward()
        gradients = {k: p.grad.flatten().tolist() for k, p in model.named_parameters() if k.endswith(("q_norm.weight", "k_norm.weight"))}
        said = {k: v for k, v in config.to_diff_dict().items() if k not in without}
        tensors = {k: dict(shape=list(v.shape), values=(v * 64).int().flatten().tolist()) for k, v in state.items()}
        cases.append(dict(name=name, config=said, tensors=tensors, ids=IDS, logits=[round(x, 6) for x in y.logits.flatten().tolist()],
                          loss=y.loss.item(), gradients={k: [round(x, 7) for x in v] for k, v in gradients.items()}))
    about = dict(torch=torch.__version__, transformers=transformers.__version__, cases=cases)
    out = Path(__file__).resolve().parent.parent / "decoder-settings.json"
    out.write_text(json.dumps(about, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
