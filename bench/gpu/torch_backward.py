"""PyTorch's kernels of training: gradients of attention, of norms and gates, a loss with its gradients, AdamW's step.
The graph of a forward pass is made once for each copy of the operands, and only the backward pass is timed."""

import torch_check as check


class Graphs:
    """Outputs of forward passes whose gradients are asked for again and again."""

    def __init__(self, torch):
        self.torch, self.made = torch, {}

    def gradients(self, name, function, inputs, gradient):
        """function: of the inputs, those with gradients first."""
        key = (name, inputs[0].data_ptr())
        if key not in self.made:
            self.made[key] = function(*inputs)
        wanted = [x for x in inputs if x.requires_grad]
        return self.torch.autograd.grad(self.made[key], wanted, gradient, retain_graph=True)


def scores(torch, row):
    """What flex_attention makes of a score, by the row's options; None where it changes none."""
    slopes = torch.tensor([2.0 ** (-8 * (h + 1) / row["heads"]) for h in range(row["heads"])])

    def alibi(slopes):
        return lambda score, b, h, q, k: score - slopes[h] * (q - k).abs()

    def capped(cap):
        return lambda score, b, h, q, k: cap * torch.tanh(score / cap)

    if row.get("alibi"):
        return lambda device: alibi(slopes.to(device))
    return (lambda device: capped(row["softcap"])) if row.get("softcap") else None


def functions(kit, torch, row):
    """Ways to compute the row's attention, of q, k, v and perhaps a bias, by contender."""
    import torch.nn.functional as F
    from torch.nn.attention import SDPBackend, sdpa_kernel

    grouped, changes = row["heads"] != row["kv_heads"], scores(torch, row)
    if changes:
        from torch.nn.attention.flex_attention import flex_attention

        flex = kit.compiled(torch, flex_attention)
        return {"torch-flex": lambda q, k, v: flex(q, k, v, score_mod=changes(q.device), enable_gqa=grouped)}
    if row.get("bias"):
        return {"torch-mask": lambda q, k, v, bias: F.scaled_dot_product_attention(q, k, v, attn_mask=bias, enable_gqa=grouped)}

    def with_backend(backend):
        def call(q, k, v):
            with sdpa_kernel(backend):
                return F.scaled_dot_product_attention(q, k, v, is_causal=row["causal"], dropout_p=row.get("dropout", 0.0), enable_gqa=grouped)

        return call

    found = {"torch-flash": with_backend(SDPBackend.FLASH_ATTENTION)}
    return found if row.get("dropout") else {**found, "torch-cudnn": with_backend(SDPBackend.CUDNN_ATTENTION)}


def inputs(kit, torch, row, tracked):
    make = kit.maker(torch, row)
    shapes = [(row["batch"], row[heads], row[tokens], row["head_size"]) for heads, tokens in (("heads", "queries"), ("kv_heads", "keys"), ("kv_heads", "keys"))]
    if row.get("bias"):
        shapes.append((1, row["heads"], row["queries"], row["keys"]))
    return [make(*shape).requires_grad_(tracked) for shape in shapes]


def attention(kit, torch, row):
    """With what is added to scores, or dropout."""
    calls = functions(kit, torch, row)
    return kit.Work(calls, lambda: tuple(inputs(kit, torch, row, False)), lambda name: lambda c, o, y: check.one_head(torch, row, c, o, y))


def attention_backward(kit, torch, row):
    graphs, calls = Graphs(torch), {}

    def backward(name, function, deterministic):
        def call(*operands):
            before = torch.are_deterministic_algorithms_enabled()
            torch.use_deterministic_algorithms(deterministic, warn_only=True)
            try:
                return graphs.gradients(name, function, operands[:-1], operands[-1])
            finally:
                torch.use_deterministic_algorithms(before)

        return call

    for name, function in functions(kit, torch, row).items():
        calls[name] = backward(name, function, False)
        if name == "torch-flash":
            calls["torch-flash-deterministic"] = backward(name + "-deterministic", function, True)

    def operands():
        tracked = inputs(kit, torch, row, True)
        return (*tracked, torch.randn_like(tracked[0]).detach())

    return kit.Work(calls, operands, lambda name: lambda c, o, y: check.one_head_backward(torch, row, c, o, y), records=False)


def rows(kit, torch, row):
    """Gradients of norms, of a gate, of a cross-entropy with its loss; and a norm that ends in codes."""
    import torch.nn.functional as F

    make, kernel, width = kit.maker(torch, row), row["kernel"], row["columns"]
    shape = (row["rows"], width)

    def codes(x, residual, w):
        total = x + residual
        y = F.rms_norm(total, (width,), w, 1e-6)
        scale = y.float().abs().amax(1, keepdim=True) / 127
        return total, torch.round(y.float() / scale).to(torch.int8), scale

    if kernel == "rms_norm_codes":
        calls = {"torch-eager": codes, "torch-compiled": kit.compiled(torch, codes)}
        return kit.Work(calls, lambda: (make(*shape), make(*shape), make(width)), lambda name: lambda c, o, y: check.codes(torch, c, o, y))
    if kernel == "cross_entropy_backward":
        calls = {"torch-eager": cross_entropy(torch, F.cross_entropy), "torch-compiled": cross_entropy(torch, kit.compiled(torch, F.cross_entropy))}
        operands = lambda: (make(*shape).requires_grad_(), torch.arange(row["rows"], device=kit.DEVICE))
        return kit.Work(calls, operands, lambda name: lambda c, o, y: check.cross_entropy(torch, c, o, y), records=False)
    forward, more = {
        "rms_norm_backward": (lambda x, w: F.rms_norm(x, (width,), w, 1e-5), [(width,)]),
        "layer_norm_backward": (lambda x, w, b: F.layer_norm(x, (width,), w, b, 1e-5), [(width,), (width,)]),
        "silu_gate_backward": (lambda x, u: F.silu(x) * u, [shape]),
    }[kernel]
    graphs = Graphs(torch)
    ways = {"torch-eager": forward, "torch-compiled": kit.compiled(torch, forward)}
    calls = {name: lambda *o, name=name, way=way: graphs.gradients(name, way, o[:-1], o[-1]) for name, way in ways.items()}
    operands = lambda: (*(make(*s).requires_grad_() for s in (shape, *more)), make(*shape))
    return kit.Work(calls, operands, lambda name: lambda c, o, y: check.rows_backward(torch, forward, c, o, y), records=False)


def cross_entropy(torch, loss):
    """The loss and its gradient, which are one kernel here."""
    return lambda logits, targets: torch.autograd.grad(loss(logits, targets), logits)[0]


def adamw(kit, torch, row):
    made = {}

    def step(parameter, gradient):
        if parameter.data_ptr() not in made:
            parameter.grad = gradient
            made[parameter.data_ptr()] = torch.optim.AdamW([parameter], lr=1e-3, weight_decay=0.01, fused=True)
        made[parameter.data_ptr()].step()
        return parameter

    def operands():
        return tuple(torch.randn(row["parameters"], device=kit.DEVICE) for _ in range(2))

    def compare(c, o, y):
        check.adamw(torch, c, o, made[o[0].data_ptr()], lambda: step(*o))

    return kit.Work({"torch-fused": step}, operands, lambda name: compare, records=False)


def has_options(row):
    """Whether attention is more than scaled and perhaps causal."""
    return any(row.get(name) for name in ("alibi", "softcap", "bias", "dropout"))


KERNELS = {"attention_backward": attention_backward, "adamw": adamw}
KERNELS |= {kernel: rows for kernel in ("rms_norm_backward", "layer_norm_backward", "silu_gate_backward", "cross_entropy_backward", "rms_norm_codes")}
