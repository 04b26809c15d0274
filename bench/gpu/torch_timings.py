"""Times PyTorch's kernels: the same protocol, rotation and checks as dev.gatun.bench.gpu.GpuTimings. Functions are
compiled once a row, for its shapes alone; they and the operands are kept until another row is asked for."""

import math
import sys
import time

import answers
import torch_backward
import torch_check as check

LEAST_SECONDS = 0.02
ROTATED_BYTES = 200 << 20
MOST_COPIES = 16
TOGETHER = 64
DEVICE = "cuda"


class Work:
    """A row's calls by the names of their contenders, what makes their operands, and what compares their results.

    calls: functions of the operands; operands: makes them; checks: by name, functions of a check, operands and output;
    records: whether a graph can have the calls, which autograd's are not for"""

    def __init__(self, calls, operands, checks, records=True):
        self.calls, self.operands, self.checks, self.records = calls, operands, checks, records


def compiled(torch, function):
    """For these shapes alone: what was compiled for others would be tried, and made to take any shape."""
    return torch.compile(function, dynamic=False)


def maker(torch, row):
    dtype = {"BF16": torch.bfloat16, "F16": torch.float16, "F32": torch.float32}[row["dtype"]]
    return lambda *shape: torch.randn(*shape, device=DEVICE, dtype=dtype)


def attention(torch, row):
    import torch.nn.functional as F
    from torch.nn.attention import SDPBackend, sdpa_kernel

    if torch_backward.has_options(row):
        return torch_backward.attention(sys.modules[__name__], torch, row)
    make = maker(torch, row)
    b, size = row["batch"], row["head_size"]

    def with_backend(backend):
        def call(q, k, v):
            with sdpa_kernel(backend):
                return F.scaled_dot_product_attention(q, k, v, is_causal=row["causal"], enable_gqa=row["heads"] != row["kv_heads"])

        return call

    calls = {"torch-flash": with_backend(SDPBackend.FLASH_ATTENTION), "torch-cudnn": with_backend(SDPBackend.CUDNN_ATTENTION)}

    def operands():
        heads = ("heads", "queries"), ("kv_heads", "keys"), ("kv_heads", "keys")
        return tuple(make(b, row[h], row[tokens], size) for h, tokens in heads)

    return Work(calls, operands, lambda name: lambda c, o, y: check.attention(torch, row, c, o, y))


def matmul(torch, row):
    import torch.nn.functional as F

    make = maker(torch, row)
    return Work(
        {"torch": lambda x, w: F.linear(x, w)},
        lambda: (make(row["m"], row["k"]), make(row["n"], row["k"])),
        lambda name: lambda c, o, y: check.product(torch, c, lambda i: o[0][i], lambda i: o[1][i], y),
    )


def codes_of(torch, x):
    """Tokens as signed bytes with a scale each."""
    scale = x.float().abs().amax(1, keepdim=True) / 127
    return torch.round(x.float() / scale).to(torch.int8), scale


def quantized_matmul(torch, row):
    """What stands beside a product with a quantised weight: the same in bf16, and PyTorch's of the same kind, with and
    without what makes codes of x."""
    import torch.nn.functional as F

    m, n, k = row["m"], row["n"], row["k"]
    make = maker(torch, row)
    calls = {"torch-bf16": lambda x, w, *rest: F.linear(x, w)}
    checks = {"torch-bf16": lambda c, o, y: check.product(torch, c, lambda i: o[0][i], lambda i: o[1][i], y)}

    def scaled(x, w, a, b, row_scale, column_scale):
        return (torch._int_mm(a, b.t()).float() * row_scale * column_scale).to(x.dtype)

    def quantising(x, w, a, b, row_scale, column_scale):
        codes, scale = codes_of(torch, x)
        return (torch._int_mm(codes, b.t()).float() * scale * column_scale).to(x.dtype)

    if row["activations"] != "EXACT":
        calls["torch-int_mm-from-codes"] = lambda x, w, a, b, *rest: torch._int_mm(a, b.t())
        calls["torch-int_mm-scaled-from-codes"] = compiled(torch, scaled)
        calls["torch-int_mm-quantising"] = compiled(torch, quantising)
        checks["torch-int_mm-from-codes"] = lambda c, o, y: check.product(torch, c, lambda i: o[2][i], lambda i: o[3][i], y)
        checks["torch-int_mm-scaled-from-codes"] = lambda c, o, y: check.product(
            torch, c, lambda i: o[2][i].double() * o[4][i].double(), lambda i: o[3][i].double() * o[5][i].double()[:, None], y
        )

        def of_codes(c, o, y):
            # A number between two codes may get the other one: half a scale a term.
            tokens = lambda i: (lambda pair: pair[0].double() * pair[1].double())(codes_of(torch, o[0][i]))
            check.product(torch, c, tokens, lambda i: o[3][i].double() * o[5][i].double()[:, None], y, rounded=2.0**-7)

        checks["torch-int_mm-quantising"] = of_codes

        def operands():
            signed = lambda *shape: torch.randint(-127, 128, shape, device=DEVICE, dtype=torch.int8)
            return make(m, k), make(n, k), signed(m, k), signed(n, k), torch.rand(m, 1, device=DEVICE), torch.rand(n, device=DEVICE)

        return Work(calls, operands, checks.get)
    if not row["format"].startswith("INT4"):
        return Work(calls, lambda: (make(m, k), make(n, k)), checks.get)
    group = int(row["format"].split(":")[1])
    calls["torch-int4pack_mm"] = lambda x, w, packed, scales, codes: torch._weight_int4pack_mm(x, packed, group, scales)

    def weight(o, some):
        # Two codes a byte, the first in its upper half; scales and zeros [groups, n, 2].
        byte = o[4][some].long()
        codes = torch.stack((byte >> 4, byte & 15), -1).flatten(1).double()
        scale, zero = (o[3][:, some, i].double().t().repeat_interleave(group, 1) for i in (0, 1))
        return (codes - 8) * scale + zero

    # It rounds each weight to bf16.
    checks["torch-int4pack_mm"] = lambda c, o, y: check.product(torch, c, lambda i: o[0][i], lambda i: weight(o, i), y, rounded=2.0**-5)

    def packed_operands():
        codes = torch.randint(0, 256, (n, k // 2), device=DEVICE, dtype=torch.uint8)
        return make(m, k), make(n, k), torch._convert_weight_to_int4pack(codes, 8), make(k // group, n, 2), codes

    return Work(calls, packed_operands, checks.get)


def rotary(torch, row):
    make = maker(torch, row)
    tokens, heads, size, kv_heads = row["tokens"], row["heads"], row["head_size"], row.get("kv_heads", 0)
    widths = [heads * size, kv_heads * size, kv_heads * size]

    def rotate(x, cosine, sine):
        a, b = x.float().chunk(2, -1)
        return torch.cat((a * cosine - b * sine, b * cosine + a * sine), -1).to(x.dtype)

    def alone(x, cosine, sine, positions):
        return rotate(x, cosine[positions][:, None], sine[positions][:, None])

    def with_cache(x, cosine, sine, positions, keys, values):
        q, k, v = (part.view(tokens, -1, size) for part in x.split(widths, -1))
        c, s = cosine[positions][:, None], sine[positions][:, None]
        keys[positions] = rotate(k, c, s)
        values[positions] = v
        return rotate(q, c, s)

    def operands():
        angles = torch.rand(2, tokens, size // 2, device=DEVICE)
        positions = torch.arange(tokens, device=DEVICE)
        if row["kernel"] == "rotary":
            return make(tokens, heads, size), angles[0], angles[1], positions
        return make(tokens, sum(widths)), angles[0], angles[1], positions, make(tokens, kv_heads, size), make(tokens, kv_heads, size)

    def compare(c, o, y):
        if row["kernel"] == "rotary":
            return check.rotary(torch, c, o[0], o[1], o[2], y)
        q, k, v = (part.view(tokens, -1, size) for part in o[0].split(widths, -1))
        check.rotary(torch, c, q, o[1], o[2], y)
        check.rotary(torch, c, k, o[1], o[2], o[4])
        c.add("values", o[5], v.cpu().double(), torch.full(v.shape, 1e-9, dtype=torch.float64))

    function = alone if row["kernel"] == "rotary" else with_cache
    return Work({"torch-eager": function, "torch-compiled": compiled(torch, function)}, operands, lambda name: compare)


def columns(torch, row):
    import torch.nn.functional as F

    make, kernel = maker(torch, row), row["kernel"]
    shape, width = (row["rows"], row["columns"]), row["columns"]
    functions = {
        "rms_norm": lambda x, w: F.rms_norm(x, (width,), w, 1e-6),
        "layer_norm": lambda x, w, b: F.layer_norm(x, (width,), w, b, 1e-5),
        "softmax": lambda x: torch.softmax(x, -1),
        "gelu": lambda x: F.gelu(x),
        "silu_gate": lambda x, u: F.silu(x) * u,
        "add": lambda x, u: x + u,
    }
    more = {"rms_norm": [(width,)], "layer_norm": [(width,), (width,)], "silu_gate": [shape], "add": [shape]}
    function = functions[kernel]
    return Work(
        {"torch-eager": function, "torch-compiled": compiled(torch, function)},
        lambda: (make(*shape), *(make(*s) for s in more.get(kernel, []))),
        lambda name: lambda c, o, y: check.rows(torch, kernel, c, o, y),
    )


KERNELS = {"attention": attention, "matmul": matmul, "quantized_matmul": quantized_matmul, "rotary": rotary, "rotary_cache": rotary}


def work_of(torch, row):
    if row["kernel"] in torch_backward.KERNELS:
        return torch_backward.KERNELS[row["kernel"]](sys.modules[__name__], torch, row)
    return KERNELS.get(row["kernel"], columns)(torch, row)


def batch(torch, call, copies, calls):
    torch.cuda.synchronize()
    start = time.perf_counter()
    for i in range(calls):
        call(*copies[i % len(copies)])
    torch.cuda.synchronize()
    return time.perf_counter() - start


def recorded(torch, call, copies):
    """The calls of all copies as a graph, as Gatun's are recorded, and its outputs; None where they can't be."""
    rounds = max(1, TOGETHER // len(copies))
    graph = torch.cuda.CUDAGraph()
    try:
        with torch.cuda.graph(graph):
            for _ in range(rounds):
                outputs = [call(*operands) for operands in copies]
    except RuntimeError:
        return None
    return graph.replay, rounds * len(copies), outputs


def tensors(outputs):
    """Those of all calls, of which each gives one or several."""
    return [y for output in outputs for y in (output if isinstance(output, tuple) else (output,))]


class Timings:
    def __init__(self, torch):
        self.torch, self.key = torch, None

    def answer(self, row, answer):
        torch = self.torch
        key = {k: v for k, v in row.items() if k != "skip"}
        if key != self.key:
            self.key = None
            self.recordings, self.copies, self.work = {}, [], None
            torch.cuda.empty_cache()
            # Else what was compiled for other shapes counts, and new shapes are taken to be any.
            torch._dynamo.reset()
            self.work = work_of(torch, row)
            self.copies = [self.work.operands()]
            size = sum(t.numel() * t.element_size() for t in self.copies[0])
            if row["kernel"] == "quantized_matmul":
                # Each contender reads one of the weights only, the narrowest among them.
                size = row["n"] * row["k"] // 2
            self.copies += [self.work.operands() for _ in range(min(MOST_COPIES, math.ceil(ROTATED_BYTES / size)) - 1)]
            self.key = key
        for name, call in self.work.calls.items():
            answer.measure(name, lambda: self.timed(name, call))

    def timed(self, name, call):
        torch, copies = self.torch, self.copies
        if name not in self.recordings:
            # The first calls compile, and allocate what a recording may not.
            batch(torch, call, copies, len(copies))
            seconds = batch(torch, call, copies, len(copies))
            self.recordings[name] = recorded(torch, call, copies) if self.work.records and seconds < LEAST_SECONDS else None
        graph = self.recordings[name]
        work, together, outputs = graph or (call, 1, None)
        for output in tensors(outputs or []):
            output.fill_(float("nan") if output.is_floating_point() else -1)
        turns = copies if graph is None else [()]
        calls = len(turns)
        batch(torch, work, turns, calls)
        seconds = batch(torch, work, turns, calls)
        while seconds < LEAST_SECONDS and calls < 1 << 16:
            calls *= 2
            seconds = batch(torch, work, turns, calls)
        found = check.Check(torch)
        output = outputs[0] if outputs else call(*copies[0])
        self.work.checks(name)(found, copies[0], output)
        facts = found.facts()
        return facts if "wrong" in facts else {**facts, "seconds": seconds / (calls * together), "calls": calls * together}


def main():
    import torch

    timings = Timings(torch)
    answers.give({"ready": "torch " + torch.__version__, "device": torch.cuda.get_device_name(0)}, timings.answer)


if __name__ == "__main__":
    main()
