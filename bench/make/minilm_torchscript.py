"""Writes minilm-torchscript.zip: the TorchScript program of a BERT sentence encoder with the shapes of
all-MiniLM-L6-v2, all weights zero and left out; bench's TorchScript class puts the real ones in.
"states OUT" writes one that ends with the last hidden states."""
import sys
from typing import Optional
import torch
from torch import nn
import torch.nn.functional as F
import torchscript

HIDDEN, LAYERS, HEADS, INNER, VOCABULARY, POSITIONS = 384, 6, 12, 1536, 30522, 512


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(HIDDEN, 3 * HIDDEN)
        self.dense = nn.Linear(HIDDEN, HIDDEN)
        self.norm1 = nn.LayerNorm(HIDDEN, eps=1e-12)
        self.up = nn.Linear(HIDDEN, INNER)
        self.down = nn.Linear(INNER, HIDDEN)
        self.norm2 = nn.LayerNorm(HIDDEN, eps=1e-12)

    def forward(self, x, mask: Optional[torch.Tensor]):
        b, s = x.shape[0], x.shape[1]
        q, k, v = self.qkv(x).view(b, s, 3, 12, 32).permute(2, 0, 3, 1, 4).unbind(0)
        a = F.scaled_dot_product_attention(q, k, v, mask)
        x = self.norm1(x + self.dense(a.transpose(1, 2).reshape(b, s, 384)))
        return self.norm2(x + self.down(F.gelu(self.up(x))))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.word = nn.Embedding(VOCABULARY, HIDDEN)
        self.position = nn.Embedding(POSITIONS, HIDDEN)
        self.segment = nn.Embedding(2, HIDDEN)
        self.norm = nn.LayerNorm(HIDDEN, eps=1e-12)
        self.layers = nn.ModuleList([Layer() for _ in range(LAYERS)])

    def forward(self, ids, mask):
        s = ids.shape[1]
        x = self.norm(self.word(ids) + self.position.weight[:s] + self.segment.weight[0])
        # A batch without padding needs no mask.
        bias: Optional[torch.Tensor] = None
        if not bool(mask.all()):
            bias = torch.zeros(mask.shape, dtype=x.dtype).masked_fill(mask == 0, float("-inf"))[:, None, None, :]
        for layer in self.layers:
            x = layer(x, bias)
        weight = mask.to(x.dtype).unsqueeze(-1)
        return F.normalize((x * weight).sum(1) / weight.sum(1))


class States(Encoder):
    """The same as far as the last hidden states, from the three inputs of Hugging Face's model."""

    def forward(self, ids, mask, types):
        s = ids.shape[1]
        x = self.norm(self.word(ids) + self.position.weight[:s] + self.segment(types))
        bias: Optional[torch.Tensor] = None
        if not bool(mask.all()):
            bias = torch.zeros(mask.shape, dtype=x.dtype).masked_fill(mask == 0, float("-inf"))[:, None, None, :]
        for layer in self.layers:
            x = layer(x, bias)
        return x


model = States() if sys.argv[1] == "states" else Encoder()
torchscript.save(torch.jit.script(model.eval()), sys.argv[-1])
