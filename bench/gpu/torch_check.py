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


def close(torch, check, what, got, wanted):
    """Numbers whose terms were rounded one by one: a share of their own size, and of what others have."""
    eps = epsilon(got, torch)
    check.add(what, got, wanted, 2 * eps * wanted.abs() + 4 * eps * wanted.square().mean().sqrt() + 1e-6)


def head(torch, row, operands):
    """The last head of the last sequence in float64, its scores and its output, so that gradients can be asked for."""
    q, k, v, *rest = operands
    h, kv = row["heads"] - 1, row["kv_heads"] - 1
    q, k, v = (t[-1, i].detach().cpu().double().requires_grad_() for t, i in ((q, h), (k, kv), (v, kv)))
    bias = [rest[0][0, h].detach().cpu().double().requires_grad_()] if row.get("bias") else []
    scores = q @ k.t() / math.sqrt(row["head_size"])
    if row.get("softcap"):
        scores = row["softcap"] * torch.tanh(scores / row["softcap"])
    if row.get("alibi"):
        places = torch.arange(row["keys"], dtype=torch.float64)
        scores = scores - 2.0**-8 * (torch.arange(row["queries"], dtype=torch.float64)[:, None] - places).abs()
    if bias:
        scores = scores + bias[0]
    if row["causal"]:
        scores = scores.masked_fill(torch.ones(scores.shape, dtype=torch.bool).triu(1), -math.inf)
    return [q, k, v, *bias], torch.softmax(scores, -1) @ v


def finite(torch, check, outputs):
    """What dropout left nobody else can tell: that it is numbers."""
    for output in outputs:
        one = output[-1, -1].detach().cpu().double()
        check.add("output", one, torch.nan_to_num(one, nan=0.0, posinf=0.0, neginf=0.0), torch.full(one.shape, 1e-9, dtype=torch.float64))


def one_head(torch, row, check, operands, output):
    if row.get("dropout"):
        return finite(torch, check, [output])
    _, wanted = head(torch, row, operands)
    close(torch, check, "output", output[-1, -1], wanted.detach())


def one_head_backward(torch, row, check, operands, output):
    if row.get("dropout"):
        return finite(torch, check, output)
    *given, gradient = operands
    leaves, y = head(torch, row, given)
    if row["heads"] != row["kv_heads"] or (row.get("bias") and row["batch"] > 1):
        # Gradients of keys, values or a bias come from other heads or sequences too.
        leaves = leaves[:1]
    wanted = torch.autograd.grad(y, leaves, gradient[-1, -1].cpu().double())
    for i, one in enumerate(wanted):
        close(torch, check, f"gradient {i}", output[i][-1, -1], one)


def rows_backward(torch, forward, check, operands, output):
    """Of some rows the gradient of x, and of a gate that of the other operand."""
    some = places(operands[0].shape[0], 6)
    pick = lambda t: (t if t.dim() == 1 else t[some]).detach().cpu().double()
    leaves = [pick(t).requires_grad_() for t in operands[:-1]]
    wanted = torch.autograd.grad(forward(*leaves), leaves, pick(operands[-1]))
    for i, one in enumerate(wanted):
        if one.dim() == 2:
            close(torch, check, f"gradient {i}", output[i][some], one)


def cross_entropy(torch, check, operands, output):
    logits, targets = operands
    some = places(output.shape[0], 4)
    wanted = torch.softmax(logits[some].detach().cpu().double(), -1)
    wanted[range(len(some)), targets[some].cpu()] -= 1
    close(torch, check, "dlogits", output[some], wanted / output.shape[0])


def codes(torch, check, operands, output):
    import torch.nn.functional as F

    x, residual, w = operands
    total, code, scale = output
    some = places(x.shape[0], 6)
    sums = x[some].cpu().double() + residual[some].cpu().double()
    close(torch, check, "sum", total[some], sums)
    wanted = F.rms_norm(sums, (x.shape[-1],), w.cpu().double(), 1e-6)
    most = wanted.abs().amax(1, keepdim=True)
    got = code[some].cpu().double() * scale[some].cpu().double()
    check.add("codes", got, wanted, 0.51 * most / 127 + 4 * epsilon(x, torch) * wanted.abs())


def adamw(torch, check, operands, optimizer, step):
    """One more step of some elements."""
    parameter, gradient = operands
    some = places(parameter.numel(), 2000)
    state = optimizer.state[parameter]
    pick = lambda t: t[some].detach().cpu().double()
    p, g, m, v, t = pick(parameter), pick(gradient), pick(state["exp_avg"]), pick(state["exp_avg_sq"]), float(state["step"]) + 1
    step()
    m, v = m + 0.1 * (g - m), 0.999 * v + 0.001 * g.square()
    change = 1e-3 / (1 - 0.9**t) * m / (v.sqrt() / math.sqrt(1 - 0.999**t) + 1e-8)
    check.add("parameter", pick(parameter), p * (1 - 1e-5) - change, 2.0**-20 * (p.abs() + change.abs()) + 1e-9)
