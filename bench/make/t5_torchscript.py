"""Writes t5-torchscript.zip: the TorchScript program of a T5 with the shapes of t5-base, all weights zero and left out; bench's
TorchScript class puts the real ones in. `forward(ids, settings)` with settings (length, beams) gives the encoder's states for length
0, else the ids of so many tokens behind the start token 0: greedy for one beam, else beam search. No token ends a text."""
import sys
from typing import List
import torch
from torch import nn, Tensor
import torch.nn.functional as F
import torchscript

HIDDEN, LAYERS, HEADS, SIZE, INNER, VOCABULARY, BUCKETS, FARTHEST = 768, 12, 12, 64, 3072, 32128, 32, 128


class Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(HIDDEN))

    def forward(self, x: Tensor) -> Tensor:
        return F.rms_norm(x, [768], self.weight, 1e-6)


def linear(n: int, m: int):
    return nn.Linear(n, m, bias=False)


class FeedForward(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.wi, self.wo = Norm(), linear(HIDDEN, INNER), linear(INNER, HIDDEN)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.wo(F.relu(self.wi(self.norm(x))))


class EncoderLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.qkv, self.o, self.fed = Norm(), linear(HIDDEN, 3 * HIDDEN), linear(HIDDEN, HIDDEN), FeedForward()

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        b, s = x.shape[0], x.shape[1]
        q, k, v = self.qkv(self.norm(x)).view(b, s, 3, 12, 64).permute(2, 0, 3, 1, 4).unbind(0)
        a = F.scaled_dot_product_attention(q, k, v, bias, scale=1.0)
        return self.fed(x + self.o(a.transpose(1, 2).reshape(b, s, 768)))


class DecoderLayer(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm, self.qkv, self.o = Norm(), linear(HIDDEN, 3 * HIDDEN), linear(HIDDEN, HIDDEN)
        self.cross_norm, self.cross_q, self.cross_kv, self.cross_o = Norm(), linear(HIDDEN, HIDDEN), linear(HIDDEN, 2 * HIDDEN), linear(HIDDEN, HIDDEN)
        self.fed = FeedForward()

    def seen(self, encoded: Tensor) -> List[Tensor]:
        b, s = encoded.shape[0], encoded.shape[1]
        k, v = self.cross_kv(encoded).view(b, s, 2, 12, 64).permute(2, 0, 3, 1, 4).contiguous().unbind(0)
        return [k, v]

    def forward(self, x: Tensor, t: int, keys: Tensor, values: Tensor, bias: Tensor, seen: List[Tensor]) -> Tensor:
        """x [rows, hidden]: a token of each; the rows of a source look at its keys together."""
        rows, sources = x.shape[0], seen[0].shape[0]
        q, k, v = self.qkv(self.norm(x)).view(rows, 3, 12, 1, 64).unbind(1)
        keys[:, :, t : t + 1] = k
        values[:, :, t : t + 1] = v
        a = F.scaled_dot_product_attention(q, keys[:, :, : t + 1], values[:, :, : t + 1], bias, scale=1.0)
        x = x + self.o(a.reshape(rows, 768))
        q = self.cross_q(self.cross_norm(x)).view(sources, rows // sources, 12, 64).transpose(1, 2)
        a = F.scaled_dot_product_attention(q, seen[0], seen[1], scale=1.0)
        return self.fed(x + self.cross_o(a.transpose(1, 2).reshape(rows, 768)))


class T5(nn.Module):
    def __init__(self):
        super().__init__()
        self.shared = nn.Embedding(VOCABULARY, HIDDEN)
        self.encoder_bias, self.decoder_bias = nn.Embedding(BUCKETS, HEADS), nn.Embedding(BUCKETS, HEADS)
        self.encoder = nn.ModuleList([EncoderLayer() for _ in range(LAYERS)])
        self.decoder = nn.ModuleList([DecoderLayer() for _ in range(LAYERS)])
        self.encoder_norm, self.decoder_norm = Norm(), Norm()

    def buckets(self, distance: Tensor, both: bool) -> Tensor:
        """Of keys' positions less queries' (arXiv 1910.10683)."""
        half = 16 if both else 32
        first = (distance > 0).to(torch.long) * half if both else torch.zeros_like(distance)
        n = distance.abs() if both else (-distance).clamp(min=0)
        exact = half // 2
        far = exact + (torch.log(n.clamp(min=1).float() / exact) / torch.log(torch.tensor(128.0 / exact)) * (half - exact)).to(torch.long)
        return first + torch.where(n < exact, n, far.clamp(max=half - 1))

    def encode(self, ids: Tensor) -> Tensor:
        at = torch.arange(ids.shape[1])
        bias = self.encoder_bias(self.buckets(at[None, :] - at[:, None], True)).permute(2, 0, 1)[None].contiguous()
        x = self.shared(ids)
        for layer in self.encoder:
            x = layer(x, bias)
        return self.encoder_norm(x)

    def forward(self, ids: Tensor, settings: Tensor) -> Tensor:
        length, beams = int(settings[0]), int(settings[1])
        encoded = self.encode(ids)
        if length == 0:
            return encoded
        sources, rows = ids.shape[0], ids.shape[0] * beams
        seen: List[List[Tensor]] = []
        keys: List[Tensor] = []
        values: List[Tensor] = []
        for layer in self.decoder:
            seen.append(layer.seen(encoded))
            keys.append(torch.empty(rows, 12, length, 64))
            values.append(torch.empty(rows, 12, length, 64))
        at = torch.arange(length)
        bias = self.decoder_bias(self.buckets(at[None, :] - at[:, None], False)).permute(2, 0, 1)[None].contiguous()
        last = torch.zeros(rows, dtype=torch.long)
        chosen = torch.zeros(rows, length, dtype=torch.long)
        scores = torch.full([sources, beams], -1e9)
        scores[:, 0] = 0.0
        for t in range(length):
            x = self.shared(last)
            for i, block in enumerate(self.decoder):
                x = block(x, t, keys[i], values[i], bias[:, :, t : t + 1, : t + 1], seen[i])
            logits = F.linear(self.decoder_norm(x) * 768**-0.5, self.shared.weight)
            if beams == 1:
                last = logits.argmax(-1)
            else:
                every = (logits.log_softmax(-1).view(sources, beams, 32128) + scores[:, :, None]).view(sources, beams * 32128)
                scores, best = every.topk(beams)
                parent = (best // 32128 + torch.arange(sources)[:, None] * beams).view(rows)
                last = (best % 32128).view(rows)
                chosen = chosen.index_select(0, parent)
                for i in range(len(keys)):
                    keys[i][:, :, : t + 1] = keys[i][:, :, : t + 1].index_select(0, parent)
                    values[i][:, :, : t + 1] = values[i][:, :, : t + 1].index_select(0, parent)
            chosen[:, t] = last
        return chosen.view(sources, beams, length)[:, 0].contiguous()


def main():
    torchscript.save(torch.jit.script(T5().eval()), sys.argv[1])


if __name__ == "__main__":
    main()
