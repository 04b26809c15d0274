#!/usr/bin/env python3
"""Very small decoders that are read as encoders are: their configuration, their weights in units of 1/8, and what transformers' classes of bodies and heads
give for sequences of several lengths, each by itself.

    python3 make_decoder_bodies.py

Needs torch and transformers. Writes ../decoder-bodies.json.
"""
import json
from pathlib import Path

import torch
import transformers

SIZES = dict(vocab_size=11, hidden_size=8, intermediate_size=10, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, head_dim=4,
             max_position_embeddings=32, bos_token_id=1, eos_token_id=2, pad_token_id=None)
BOTH = dict(is_causal=False)
WINDOW = dict(use_sliding_window=True, max_window_layers=1, sliding_window=2)
GEMMA = dict(query_pre_attn_scalar=4, use_bidirectional_attention=True, layer_types=["sliding_attention", "full_attention"])
# A class and its settings.
CASES = {
    "untied": ("MistralModel", dict(sliding_window=2, tie_word_embeddings=False)),
    "both-ways": ("LlamaModel", BOTH),
    "both-ways-window": ("Qwen2Model", dict(BOTH, **WINDOW)),
    "both-ways-positions": ("GPT2Model", BOTH),
    "both-ways-gemma3": ("Gemma3TextModel", dict(GEMMA, sliding_window=4)),
    "last": ("Qwen3ForSequenceClassification", dict(num_labels=3)),
    "last-not-padding": ("LlamaForSequenceClassification", dict(num_labels=2, pad_token_id=5)),
    "last-not-padding-by-default": ("GemmaForSequenceClassification", dict(num_labels=2, pad_token_id=0)),
    "tokens": ("MistralForTokenClassification", dict(num_labels=3)),
    "tokens-classifier": ("GPT2ForTokenClassification", dict(num_labels=3)),
    "spans": ("Qwen2ForQuestionAnswering", {}),
}
IDS = [[3, 7, 4, 10, 0, 9], [6, 8, 5, 5], [0]]
# Keys that config.json leaves out.
WITHOUT = {"last-not-padding-by-default": ["pad_token_id"]}


def main():
    cases = []
    for name, (kind, settings) in CASES.items():
        torch.manual_seed(len(name))
        model_class = getattr(transformers, kind)
        sizes = SIZES if "GPT2" not in kind else dict(vocab_size=11, n_embd=8, n_layer=2, n_head=2, n_inner=10, n_positions=32)
        config = model_class.config_class(**{**sizes, **settings})
        model = model_class._from_config(config, attn_implementation="eager").eval()
        state = model.state_dict()
        with torch.no_grad():
            for value in state.values():
                value.copy_((torch.randn(value.shape) * 3).round().clamp(-9, 9) / 8)
        outputs = []
        for row in IDS:
            y = model(torch.tensor([row]))
            if hasattr(y, "start_logits"):
                values = torch.stack([y.start_logits, y.end_logits], -1)
            else:
                values = y.logits if hasattr(y, "logits") else y.last_hidden_state
            outputs.append([round(x, 5) for x in values.flatten().tolist()])
        model.config.architectures = [kind]
        said = {k: v for k, v in model.config.to_diff_dict().items() if k not in WITHOUT.get(name, [])}
        tensors = {k: dict(shape=list(v.shape), values=(v * 8).int().flatten().tolist()) for k, v in state.items()}
        cases.append(dict(name=name, config=said, tensors=tensors, ids=IDS, outputs=outputs))
    about = dict(torch=torch.__version__, transformers=transformers.__version__, cases=cases)
    out = Path(__file__).resolve().parent.parent / "decoder-bodies.json"
    out.write_text(json.dumps(about, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
