#!/usr/bin/env python3
"""The Transformer of "Attention Is All You Need" (arXiv 1706.03762) by PyTorch's own layers: what it computes of ragged sources and targets.

    python3 make_transformer.py

Needs torch. Writes ../paper-transformer: weights (`weight.*`, PyTorch's joined projections of an attention as w_q, w_k, w_v), ids and masks, states of both
sides and scores. Embeddings are shared and multiplied by the root of d_model, norms come behind the sums, the output layer is the embeddings' table.
"""
import json
import math
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

OUT = Path(__file__).resolve().parent.parent / "paper-transformer"
VOCAB, WIDTH, HEADS, INNER, LAYERS = 23, 16, 4, 20, 2


def positions(length):
    angle = torch.arange(length).unsqueeze(1).float() * torch.exp(torch.arange(0, WIDTH, 2).float() * -(math.log(10000.0) / WIDTH))
    table = torch.zeros(length, WIDTH)
    table[:, 0::2], table[:, 1::2] = angle.sin(), angle.cos()
    return table


def names(prefix, layer, own, cross=None):
    """The layer's weights by the paper's names."""
    out = {}
    for name, attention in {"self": own, "cross": cross}.items():
        if attention is not None:
            for part, weight, bias in zip("qkv", attention.in_proj_weight.chunk(3), attention.in_proj_bias.chunk(3)):
                out |= {f"{name}.w_{part}.weight": weight, f"{name}.w_{part}.bias": bias}
            out |= {f"{name}.w_o.weight": attention.out_proj.weight, f"{name}.w_o.bias": attention.out_proj.bias}
    for name in ["linear1", "linear2", "norm1", "norm2"] + (["norm3"] if cross is not None else []):
        out |= {f"{name}.{k}": v for k, v in getattr(layer, name).state_dict().items()}
    return {f"weight.{prefix}.{k}": v for k, v in out.items()}


def main():
    torch.manual_seed(41)
    settings = dict(d_model=WIDTH, nhead=HEADS, dim_feedforward=INNER, dropout=0.0, batch_first=True)
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(**settings), LAYERS, enable_nested_tensor=False).eval()
    decoder = nn.TransformerDecoder(nn.TransformerDecoderLayer(**settings), LAYERS).eval()
    table = torch.randn(VOCAB, WIDTH) * 0.3
    for stack in (encoder, decoder):
        for parameter in stack.parameters():
            parameter.data.add_(torch.randn(parameter.shape) * 0.2)
    source, target = torch.randint(1, VOCAB, (3, 9)), torch.randint(1, VOCAB, (3, 6))
    padding = torch.ones(3, 9)
    for row, length in enumerate((9, 6, 2)):
        source[row, length:] = 0
        padding[row, length:] = 0
    embed = lambda ids: nn.functional.embedding(ids, table) * math.sqrt(WIDTH) + positions(ids.shape[1])
    with torch.no_grad():
        memory = encoder(embed(source), src_key_padding_mask=padding == 0)
        causal = torch.triu(torch.ones(6, 6), 1).bool()
        states = decoder(embed(target), memory, tgt_mask=causal, memory_key_padding_mask=padding == 0)
    tensors = {"weight.embeddings": table, "in.source": source, "in.target": target, "in.padding": padding}
    tensors |= {"out.memory": memory, "out.states": states, "out.scores": states @ table.T}
    for i, layer in enumerate(encoder.layers):
        tensors |= names(f"encoder.{i}", layer, layer.self_attn)
    for i, layer in enumerate(decoder.layers):
        tensors |= names(f"decoder.{i}", layer, layer.self_attn, layer.multihead_attn)
    OUT.mkdir(exist_ok=True)
    save_file({k: v.detach().contiguous().clone() for k, v in tensors.items()}, str(OUT / "expected.safetensors"))
    about = dict(torch=torch.__version__, d_model=WIDTH, num_heads=HEADS, d_ff=INNER, layers=LAYERS, vocab_size=VOCAB, layer_norm_eps=1e-5)
    (OUT / "case.json").write_text(json.dumps(about, indent=1) + "\n")


if __name__ == "__main__":
    main()
