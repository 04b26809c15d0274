"""What bounds long rows and rotary position embedding, the part of on_paper.py between <!-- rows --> marks.

Bytes under way are those that a multiprocessor's threads have asked for at once; by latency alone they are read in one latency of the
memory. Instructions are counted in the PTX of the kernels' loops. `single` is what reading number by number would be, one after another
and once for each of the maximum, the sum and the result."""

import re

THREADS = 2048


def per_number(compile_ptx, here, folder, source, kernel, dtype):
    """Instructions a number in the kernel's loop of most vector loads for a type, and those loads."""
    text = (here / folder / source).read_text()
    name = {"f32": "kF32", "bf16": "kBf16", "f16": "kF16"}[dtype]
    start = text.index(f'extern "C" __global__ void __launch_bounds__(1024)\n    {kernel}(')
    body = text[start:].split("\n}\n")[0] + "\n}\n"
    fixed = body.replace(f"    {kernel}(", "    counted(").replace(") {\n", f") {{\n  dtype = {name};\n", 1)
    ptx = compile_ptx(text[:start] + fixed, "compute_90a")
    entry = ptx[ptx.index(".entry counted") :].split("\n}")[0].split("\n")
    labels = {m.group(1): i for i, line in enumerate(entry) if (m := re.match(r"(\$\w+):", line.strip()))}
    best = (0, 0)
    for i, line in enumerate(entry):
        m = re.search(r"bra(?:\.uni)?\s+(\$\w+);", line)
        if m and labels[m.group(1)] < i:
            lines = [part.strip() for part in entry[labels[m.group(1)] : i + 1]]
            loads = sum("ld.global" in part and ".v4" in part for part in lines)
            issued = sum(part.endswith(";") and not part.startswith((".", "$", "//")) for part in lines)
            best = max(best, (loads, issued))
    loads, issued = best
    return issued / (loads * (4 if dtype == "f32" else 8)), loads


def document(machines, table, compile_ptx, here):
    parts = [
        "Rows that a block does not keep in registers, 8,192 of them. KB under way in a multiprocessor, and how many times that is what bandwidth times latency asks for; bytes that cross the memory, where a"
        " second reading finds in the second-level cache what the blocks that run at once have just read if it holds their rows; instructions a number; microseconds of the memory as far as the bytes under way"
        " let it go, of the instructions, and the larger; the gain that is expected over single numbers."
    ]
    rows = []
    machine = machines["H100 SXM"]
    cache = 50e6
    for kernel, label in (("softmax", "softmax"), ("cross_entropy", "cross-entropy")):
        for dtype, size in (("bf16", 2), ("f32", 4)):
            each, loads = per_number(compile_ptx, here, "rows", "softmax.cu", kernel, dtype)
            for columns in (16384, 131072):
                count, row = 8192, columns * size
                limits = []
                for way in ("single", "vectors"):
                    flight = THREADS * size if way == "single" else 1024 * loads * 16
                    needed = machine["bytes"] * machine["latency"] / machine["count"]
                    resident = machine["count"] * row * (8 if way == "single" else 1)
                    again = 0 if resident <= cache else 1
                    reads = 1 + (1 if way == "single" else 0) * again + (again if kernel == "softmax" else 0)
                    data = count * row * (reads + (1 if kernel == "softmax" else 0))
                    memory = data / (machine["bytes"] * min(1, flight / needed))
                    # A second pass of softmax has about the first one's instructions.
                    passes = (3 if way == "single" else 2) if kernel == "softmax" else (2 if way == "single" else 1)
                    issued = count * columns * each * passes / 32 / (machine["count"] * 4 * machine["clock"])
                    limits.append(max(memory, issued if way == "vectors" else 0))
                    rows.append([label, dtype, f"{columns:,}", way, f"{flight / 1024:.0f} ({flight / needed:.1f}x)", f"{data / 1e6:.0f}", f"{each:.1f}" if way == "vectors" else "", f"{memory * 1e6:.0f}", f"{issued * 1e6:.0f}" if way == "vectors" else "", f"{limits[-1] * 1e6:.0f}", f"{limits[0] / limits[-1]:.1f}x" if way == "vectors" else ""])
    parts.append(table(["kernel", "type", "columns", "way", "KB under way", "MB", "instructions a number", "memory us", "issue us", "limit us", "gain"], rows))
    parts.append(
        "Rotary position embedding with the write to a cache, 8,192 tokens of 32 heads of queries and 8 of keys and values, head size 128, BF16, H100 SXM: a lane's accesses, those that a warp makes"
        " for each byte that is moved, divisions, KB under way where 1,024 threads of a multiprocessor (64 registers) have a piece's loads out, and microseconds of the memory as far as these let it go."
    )
    tokens, heads, kv, size = 8192, 32, 8, 128
    moved = tokens * (heads + 2 * kv) * size * 2 * 2
    rows = []
    needed = machine["bytes"] * machine["latency"] / machine["count"]
    first = None
    for way, width in (("single", 2), ("vectors", 16)):
        accesses = moved / width / 32
        flight = 1024 * 2 * width
        divisions = tokens * ((heads + kv) * size // 2 * 2 + kv * size * 2) if way == "single" else tokens * 128 * 4
        memory = moved / (machine["bytes"] * min(1, flight / needed))
        first = first or memory
        rows.append([way, f"{width} bytes", f"{accesses / 1e6:.1f}", f"{divisions / 1e6:.1f} of {'64' if way == 'single' else '32'} bits", f"{flight / 1024:.0f} ({flight / needed:.1f}x)", f"{memory * 1e6:.0f}", "" if way == "single" else f"{first / memory:.1f}x"])
    parts.append(table(["way", "an access", "million accesses of warps", "million divisions", "KB under way", "memory us", "gain"], rows))
    return "\n\n".join(parts)
