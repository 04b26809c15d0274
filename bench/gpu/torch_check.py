"""Compares some of PyTorch's results with what the host computes of the same operands, in float64."""

import math
import random


def places(length, most):
    """The first, the last and random ones between."""
    if length <= most:
        return list(range(length))
    return sorted({0, length - 1, *random.Random(length).sample(range(length), most - 2)})


class Check:
    """The largest error, as a share of what it may be."""

    def __init__(self, torch):
        self.torch, self.worst, self.words, self.count = torch, 0.0, "", 0

    def add(self, what, got, wanted, allowed):
        """Tensors of one shape; a NaN is never right."""
        share = (got.cpu().double() - wanted).abs() / allowed
        share = self.torch.nan_to_num(share, nan=math.inf)
        self.count += share.numel()
        if share.numel() and share.max() > self.worst:
            place = int(share.argmax())
            self.worst = float(share.max())
            self.words = f"{what}[{place}] is {float(got.flatten()[place])}, expected {float(wanted.flatten()[place])} within {float(allowed.flatten()[place]):.3g}"

    def facts(self):
        facts = {"error": self.worst}
        if not self.count or self.worst > 1:
            facts["wrong"] = self.words or "no result was compared"
        return facts


def epsilon(tensor, torch):
    return {torch.bfloat16: 2.0**-7, torch.float16: 2.0**-10}.get(tensor.dtype, 2.0**-23)


def attention(torch, row, check, operands, output):
    """q, k, v [batch, heads, tokens, head_size]."""
    q, k, v = operands
    queries, keys, eps = row["queries"], row["keys"], epsilon(output, torch)
    for place in places(row["batch"] * row["heads"] * queries, 12):
        token, head, batch = place % queries, place // queries % row["heads"], place // queries // row["heads"]
        kv = head // (row["heads"] // row["kv_heads"])
        # PyTorch's causal mask begins at the first key; the rows have as many queries as keys.
        seen = min(keys, token + 1) if row["causal"] else keys
        one = q[batch, head, token].cpu().double()
        weights = torch.softmax(k[batch, kv, :seen].cpu().double() @ one / math.sqrt(row["head_size"]), 0)
        terms = weights[:, None] * v[batch, kv, :seen].cpu().double()
        wanted = terms.sum(0)
        check.add(f"output {batch} {head} {token} ", output[batch, head, token], wanted, eps * wanted.abs() + 2 * eps * terms.square().sum(0).sqrt() + 1e-6)


def product(torch, check, x, w, output, rounded=0.0, slack=0.0):
    """y = x wᵀ, of some rows and columns; rounded: what single terms err by, slack: what sums do."""
    rows, columns = places(output.shape[0], 12), places(output.shape[1], 96)
    a, b = x(rows).cpu().double(), w(columns).cpu().double()
    wanted = a @ b.t()
    sizes = a.abs() @ b.abs().t()
    squares = (a.square() @ b.square().t()).sqrt()
    got = output[rows][:, columns]
    eps = 0 if output.dtype == torch.int32 else epsilon(output, torch)
    check.add("y", got, wanted, eps * wanted.abs() + 2.0**-17 * sizes + rounded * squares + slack + 1e-9)


def rotary(torch, check, x, cosine, sine, output):
    """x and output [tokens, heads, head_size]."""
    some = places(x.shape[0], 6)
    c, s = (t[some].cpu().double()[:, None] for t in (cosine, sine))
    a, b = x[some].cpu().double().chunk(2, -1)
    wanted = torch.cat((a * c - b * s, b * c + a * s), -1)
    sizes = torch.cat(((a * c).abs() + (b * s).abs(), (b * c).abs() + (a * s).abs()), -1)
    check.add("y", output[some], wanted, epsilon(output, torch) * wanted.abs() + 2.0**-20 * sizes + 1e-9)


def rows(torch, kernel, check, operands, output):
    """What works on rows, or elements, of x [rows, columns]."""
    import torch.nn.functional as F

    some = places(output.shape[0], 6)
    x, *rest = operands
    x = x[some].cpu().double()
    rest = [(t if t.dim() == 1 else t[some]).cpu().double() for t in rest]
    columns = (x.shape[-1],)
    wanted = {
        "rms_norm": lambda: F.rms_norm(x, columns, *rest, 1e-6),
        "layer_norm": lambda: F.layer_norm(x, columns, *rest, 1e-5),
        "softmax": lambda: torch.softmax(x, -1),
        "gelu": lambda: F.gelu(x),
        "silu_gate": lambda: F.silu(x) * rest[0],
        "add": lambda: x + rest[0],
    }[kernel]()
    check.add("y", output[some], wanted, 2 * epsilon(output, torch) * wanted.abs() + 2.0**-18)
