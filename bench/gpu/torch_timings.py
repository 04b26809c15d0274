"""Times PyTorch's kernels: reads rows of shapes.json as lines, answers each with seconds a call.

The same protocol and the same way of timing as dev.gatun.bench.gpu.GpuTimings."""

import json
import math
import sys
import time

LEAST_SECONDS = 0.02
ROTATED_BYTES = 200 << 20
MOST_COPIES = 16
TOGETHER = 64


def calls_of(torch, row):
    """The calls of a row by the names of their contenders, and their operands."""
    import torch.nn.functional as F
    from torch.nn.attention import SDPBackend, sdpa_kernel

    dtype = {"BF16": torch.bfloat16, "F16": torch.float16, "F32": torch.float32}[row["dtype"]]

    def make(*shape):
        return torch.randn(*shape, device="cuda", dtype=dtype)

    kernel = row["kernel"]
    if kernel == "attention":
        grouped = row["heads"] != row["kv_heads"]

        def operands():
            b, size = row["batch"], row["head_size"]
            return (
                make(b, row["heads"], row["queries"], size),
                make(b, row["kv_heads"], row["keys"], size),
                make(b, row["kv_heads"], row["keys"], size),
            )

        def with_backend(backend):
            def call(q, k, v):
                with sdpa_kernel(backend):
                    return F.scaled_dot_product_attention(
                        q, k, v, is_causal=row["causal"], enable_gqa=grouped
                    )

            return call

        return {
            "torch-flash": with_backend(SDPBackend.FLASH_ATTENTION),
            "torch-cudnn": with_backend(SDPBackend.CUDNN_ATTENTION),
        }, operands
    if kernel == "matmul":
        return {"torch": lambda x, w: F.linear(x, w)}, lambda: (
            make(row["m"], row["k"]),
            make(row["n"], row["k"]),
        )
    if kernel == "quantized_matmul":
        return quantized_calls(torch, row, make)
    if kernel in ("rotary", "rotary_cache"):
        tokens, heads, size = row["tokens"], row["heads"], row["head_size"]
        kv_heads = row.get("kv_heads", 0)
        widths = [heads * size, kv_heads * size, kv_heads * size]

        def rotate(x, cosine, sine):
            a, b = x.float().chunk(2, -1)
            return torch.cat((a * cosine - b * sine, b * cosine + a * sine), -1).to(x.dtype)

        def tables(cosine, sine, positions):
            return cosine[positions][:, None], sine[positions][:, None]

        def rotary(x, cosine, sine, positions):
            return rotate(x, *tables(cosine, sine, positions))

        def rotary_cache(x, cosine, sine, positions, keys, values):
            q, k, v = (part.view(tokens, -1, size) for part in x.split(widths, -1))
            c, s = tables(cosine, sine, positions)
            keys[positions] = rotate(k, c, s)
            values[positions] = v
            return rotate(q, c, s)

        def operands():
            angles = torch.rand(2, tokens, size // 2, device="cuda")
            positions = torch.arange(tokens, device="cuda")
            if kernel == "rotary":
                return make(tokens, heads, size), angles[0], angles[1], positions
            caches = make(tokens, kv_heads, size), make(tokens, kv_heads, size)
            return make(tokens, sum(widths)), angles[0], angles[1], positions, *caches

        function = rotary if kernel == "rotary" else rotary_cache
        return {"torch-eager": function, "torch-compiled": torch.compile(function)}, operands
    rows, columns = row["rows"], row["columns"]
    functions = {
        "rms_norm": lambda x, w: F.rms_norm(x, (columns,), w, 1e-6),
        "layer_norm": lambda x, w, b: F.layer_norm(x, (columns,), w, b, 1e-5),
        "softmax": lambda x: torch.softmax(x, -1),
        "gelu": lambda x: F.gelu(x),
        "silu_gate": lambda x, u: F.silu(x) * u,
        "add": lambda x, u: x + u,
    }
    more = {
        "rms_norm": lambda: (make(columns),),
        "layer_norm": lambda: (make(columns), make(columns)),
        "silu_gate": lambda: (make(rows, columns),),
        "add": lambda: (make(rows, columns),),
    }
    function = functions[kernel]
    return {"torch-eager": function, "torch-compiled": torch.compile(function)}, lambda: (
        make(rows, columns),
        *more.get(kernel, lambda: ())(),
    )


def quantized_calls(torch, row, make):
    """What stands beside a product with a quantised weight: the same in bf16, and PyTorch's of the same kind."""
    import torch.nn.functional as F

    m, n, k = row["m"], row["n"], row["k"]

    def signed(*shape):
        return torch.randint(-127, 128, shape, device="cuda", dtype=torch.int8)

    def scaled(x, w, a, b, row_scale, column_scale):
        return (torch._int_mm(a, b.t()).float() * row_scale * column_scale).to(x.dtype)

    calls = {"torch-bf16": lambda x, w, *rest: F.linear(x, w)}
    if row["activations"] != "EXACT":
        calls["torch-int_mm"] = lambda x, w, a, b, *rest: torch._int_mm(a, b.t())
        calls["torch-int_mm-scaled"] = torch.compile(scaled)
        return calls, lambda: (make(m, k), make(n, k), signed(m, k), signed(n, k), torch.rand(m, 1, device="cuda"), torch.rand(n, device="cuda"))
    if not row["format"].startswith("INT4"):
        return calls, lambda: (make(m, k), make(n, k))
    group = int(row["format"].split(":")[1])
    calls["torch-int4pack_mm"] = lambda x, w, codes, scales: torch._weight_int4pack_mm(x, codes, group, scales)

    def operands():
        codes = torch.randint(0, 256, (n, k // 2), device="cuda", dtype=torch.uint8)
        return make(m, k), make(n, k), torch._convert_weight_to_int4pack(codes, 8), make(k // group, n, 2)

    return calls, operands


def batch(torch, call, copies, calls):
    torch.cuda.synchronize()
    start = time.perf_counter()
    for i in range(calls):
        call(*copies[i % len(copies)])
    torch.cuda.synchronize()
    return time.perf_counter() - start


def recorded(torch, call, copies):
    """The calls of all copies as a graph, as Gatun's are recorded, or None where they can't be."""
    rounds = max(1, TOGETHER // len(copies))
    graph = torch.cuda.CUDAGraph()
    try:
        with torch.cuda.graph(graph):
            for _ in range(rounds):
                for operands in copies:
                    call(*operands)
    except RuntimeError:
        return None
    return graph.replay, rounds * len(copies)


def timed(torch, row):
    contenders, operands = calls_of(torch, row)
    copies = [operands()]
    size = sum(t.numel() * t.element_size() for t in copies[0])
    if row["kernel"] == "quantized_matmul":
        # Each contender reads one of the weights only, the narrowest among them.
        size = row["n"] * row["k"] // 2
    copies += [operands() for _ in range(min(MOST_COPIES, math.ceil(ROTATED_BYTES / size)) - 1)]
    answer = {}
    for name, call in contenders.items():
        try:
            # The first calls compile, and allocate what a recording may not.
            batch(torch, call, copies, len(copies))
            seconds = batch(torch, call, copies, len(copies))
            graph = recorded(torch, call, copies) if seconds < LEAST_SECONDS else None
            work, together = graph or (call, 1)
            turns = copies if graph is None else [()]
            calls = len(turns)
            batch(torch, work, turns, calls)
            seconds = batch(torch, work, turns, calls)
            while seconds < LEAST_SECONDS and calls < 1 << 16:
                calls *= 2
                seconds = batch(torch, work, turns, calls)
            answer[name] = seconds / (calls * together)
        except RuntimeError as e:
            answer[name + "-error"] = str(e).split("\n")[0]
    return answer


def main():
    import torch

    print(json.dumps({"ready": "torch " + torch.__version__, "device": torch.cuda.get_device_name(0)}), flush=True)
    for line in sys.stdin:
        try:
            answer = timed(torch, json.loads(line))
        except Exception as e:  # A row that fails does not end the run.
            answer = {"error": repr(e)}
        print(json.dumps(answer), flush=True)
        torch.cuda.empty_cache()


if __name__ == "__main__":
    main()
