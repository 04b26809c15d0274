"""Works out what bounds the products with quantised weights, and writes it into docs/kernels-on-paper.md.

python3 cuda-src/on_paper.py [--check]

Instructions are counted in the PTX of a kernel's loop over stages, with the layout of a row known to the compiler so that no
other layout's branches are counted. Registers and shared memory are those of registers.txt. Nothing in the tables is typed by hand but the
machines' figures below."""

import argparse
import pathlib
import re
import subprocess
import tempfile

import on_paper_rows

HERE = pathlib.Path(__file__).resolve().parent
DOC = HERE.parent / "docs" / "kernels-on-paper.md"
FEATURES = 128

# Multiprocessors, GHz, bytes/s that reads reach, FLOP/s that mma.sync reaches in bf16 and int8, bf16 FLOP/s of the
# vendor's library, shared memory of a multiprocessor, the latency of its memory in seconds. What wgmma reaches where it
# is: in bf16 as that library, in int8 as others' products of fp8, which have the same rate.
MACHINES = {
    "H100 SXM": dict(count=132, clock=1.755e9, bytes=3.0e12, bf16=630e12, int8=1250e12, library=798e12, shared=227 << 10, latency=700e-9, wgmma=dict(bf16=798e12, int8=1500e12)),
    "RTX 4090": dict(count=128, clock=2.52e9, bytes=0.93e12, bf16=165e12, int8=660e12, library=165e12, shared=99 << 10, latency=600e-9),
}

# Kernel, bits, token tiles, slices, sides, depth, stages; integers or not.
TILES = {
    "matmul_int4_bf16_8": (4, 1, 2, 1, 128, 4, False),
    "matmul_int4_bf16_16": (4, 2, 2, 1, 128, 4, False),
    "matmul_int4_bf16_64": (4, 4, 1, 2, 64, 4, False),
    "matmul_int4_bf16_128": (4, 8, 1, 2, 64, 4, False),
    "matmul_int8_bf16_8": (8, 1, 2, 1, 64, 4, False),
    "matmul_int8_bf16_16": (8, 2, 2, 1, 64, 4, False),
    "matmul_int8_bf16_64": (8, 4, 1, 2, 64, 4, False),
    "matmul_int8_bf16_128": (8, 8, 1, 2, 64, 3, False),
    "matmul_int8_codes_16": (8, 2, 2, 1, 64, 4, True),
    "matmul_int8_codes_64": (8, 4, 1, 2, 64, 4, True),
    "matmul_int8_codes_128": (8, 8, 1, 2, 64, 4, True),
}

# Kernels of warpgroups: bits, integers or not, input features of a turn, tokens.
HOPPER = {
    f"matmul_int{bits}_{'codes' if integers else 'bf16'}_{tokens}_sm90a": (bits, integers, 64 if integers else 32, tokens)
    for bits, integers in ((4, False), (8, False), (8, True))
    for tokens in (64, 128)
}
HOPPER_FEATURES = 256

# What is looked at: name, bits, integers, the group's logarithm, bytes of scales a group and feature, what C++ calls them.
PRODUCTS = {
    "W4A16, groups of 128": (4, False, 7, 2, "kScaleF16"),
    "W8A16, a scale a feature": (8, False, 62, 8, "kScaleF32Sum"),
    "W8A8, a scale a feature": (8, True, 62, 8, "kScaleF32Sum"),
}
TOKENS = (1, 4, 16, 64, 256, 1024, 4096)


def compile_ptx(source, architecture):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "counted.cu"
        file.write_text(source)
        subprocess.run(
            ["nvcc", "-std=c++17", "-O3", "-I", str(HERE / "include"), "-I", str(HERE), f"-arch={architecture}", "-ptx", "-o", str(file) + ".ptx", str(file)],
            check=True,
            capture_output=True,
        )
        return (pathlib.Path(str(file) + ".ptx")).read_text()


def ptx_of(kernel, product):
    """The PTX of a kernel for one layout."""
    bits, integers, shift, _, scales = PRODUCTS[product]
    arguments = ", ".join(str(a) for a in TILES[kernel][:-1])
    tile = f"{'IntegerTile' if integers else 'ExactTile'}<{arguments}>"
    product_of = "integer_product<S>" if integers else "exact_product<S, true>"
    source = f"""
#include "quantized/{'integers' if integers else 'exact'}.h"
using namespace gatun;
extern "C" __global__ void __launch_bounds__(256) counted(const __grid_constant__ QuantizedProduct given) {{
  QuantizedProduct p = given;
  p.scales = {scales};
  p.shift = {shift};
  p.blocks = 0;
  using S = {tile};
  {product_of}(p, DensePlaces::of<S::kTokens>(p, blockIdx.y));
}}
"""
    return compile_ptx(source, "compute_80")


def hopper_ptx(kernel, product, grouped):
    """The PTX of a warpgroup's kernel for one layout, or for its codes with a scale a feature."""
    bits, integers, _, tokens, *_ = HOPPER[kernel]
    if integers:
        text = (HERE / "matmul_int8" / "integers_sm90a.cu").read_text()
        return compile_ptx(text.replace(kernel, "counted"), "sm_90a")
    scales = PRODUCTS[product][4] if grouped else "kScaleF32Sum"
    return compile_ptx(
        f"""
#include "quantized/exact_sm90a.h"
using namespace gatun;
extern "C" __global__ void __launch_bounds__(kThreads, 1) counted(const __grid_constant__ TensorMap x, const __grid_constant__ TensorMap codes, const __grid_constant__ QuantizedProduct given) {{
  QuantizedProduct p = given;
  p.scales = {scales};
  p.shift = {PRODUCTS[product][2] if grouped else 62};
  hopper_exact_product<true, {bits}, {tokens}>(x, codes, p);
}}
""",
        "sm_90a",
    )


def loops_of(body):
    """The loops of a kernel, as their first and last lines."""
    labels = {m.group(1): i for i, line in enumerate(body) if (m := re.match(r"(\$\w+):", line.strip()))}
    loops = []
    for i, line in enumerate(body):
        m = re.search(r"bra(?:\.uni)?\s+(\$\w+);", line)
        if m and labels[m.group(1)] < i:
            loops.append((labels[m.group(1)], i))
    return loops


def turn_loop(ptx):
    """How often each instruction is met in a turn of a warpgroup: half of the loop that multiplies."""
    body = re.split(r"\n}", ptx[ptx.index(".entry counted") :])[0].split("\n")
    start, end = max((l for l in loops_of(body) if any("wgmma.mma_async" in line for line in body[l[0] : l[1]])), key=lambda l: l[1] - l[0])
    lines = [re.sub(r"^\s*\{ \.reg \.pred p;\s*|\s*\}\s*$", "", line) for line in body[start : end + 1]]
    counts = {}
    for name in instructions(lines):
        counts[name] = counts.get(name, 0) + 0.5
    return counts


def hopper_counts(kernel, product):
    """A turn's instructions, and those that each group adds, however often its code stands in the loop of two turns."""
    turn = turn_loop(hopper_ptx(kernel, product, False))
    if PRODUCTS[product][2] > 16:
        return classes(turn), 0
    grouped = turn_loop(hopper_ptx(kernel, product, True))
    copies = 2 * (classes(grouped)["floats"] - classes(turn)["floats"]) // HOPPER[kernel][3]
    return classes(turn), 2 * (sum(grouped.values()) - sum(turn.values())) / copies


def instructions(lines):
    """The instructions among lines of PTX."""
    found = []
    for line in lines:
        line = re.sub(r"//.*", "", line).strip()
        if not line or line.startswith((".", "$", "{", "}", "(")) or not line.endswith(";"):
            continue
        found.append(re.sub(r"^@!?%p\d+\s+", "", line).split()[0].rstrip(";"))
    return found


def stage_loop(ptx, inner_trips):
    """How often each instruction is met in a stage: in the loop that waits for copies, loops inside of it counted by their trips."""
    body = ptx[ptx.index(".entry counted") :].split("\n")
    loops = loops_of(body)
    waits = [i for i, line in enumerate(body) if "cp.async.wait_group" in line and "0;" not in line.split("wait_group")[1]]
    start, end = min((l for l in loops if any(l[0] <= w <= l[1] for w in waits)), key=lambda l: l[1] - l[0])
    counts = {}
    for name in instructions(body[start : end + 1]):
        counts[name] = counts.get(name, 0) + 1
    for first, last in loops:
        if start < first and last < end and any("mma.sync" in line for line in body[first : last + 1]):
            for name in instructions(body[first : last + 1]):
                counts[name] += inner_trips - 1
    return counts


def ways(places, size):
    """How many times a bank line is visited: the lanes of each part of a warp that goes at once, 128 bytes of banks."""
    worst = 1
    at_once = 128 // size
    for begin in range(0, len(places), at_once):
        banks = {}
        for place in places[begin : begin + at_once]:
            for word in range(place // 4, (place + size) // 4):
                banks.setdefault(word % 32, set()).add(word)
        worst = max(worst, max(len(words) for words in banks.values()))
    return worst


def bank_conflicts(bits, integers, tokens, depth):
    """Of the copies' writes and the warps' reads in shared memory, as x_at and w_at of tile.h place them."""

    def x_at(chunk, first, g, part):
        return (chunk * tokens + first) * 64 + 64 * (g ^ (chunk & 1)) + 16 * (part ^ (g & 2))

    def w_at(row, chunk):
        turn = row // 2 if bits == 8 and integers else row
        return row * 128 + 16 * (chunk ^ (turn % 4 * 2))

    lanes = [(lane // 4, lane % 4) for lane in range(32)]
    pieces = depth * (1 if integers else 2) // 16
    result = {
        "x written": ways([x_at(i % pieces // 4, i // pieces // 8 * 8, i // pieces % 8, i % pieces % 4) for i in range(32)], 16),
        "codes written": ways([w_at(i // 8, i % 8) for i in range(32)], 16),
        "codes read": max(ways([w_at((2 * t + i) if bits == 8 and integers else 4 * i + t, g) for g, t in lanes], 16) for i in range(bits // 4)),
    }
    if bits == 4 and not integers:
        result["x read"] = max(ways([x_at(c, 0, g, t) for g, t in lanes], 16) for c in range(2))
    else:
        result["x read"] = max(ways([x_at(c, 0, g, 2 * s + t // 2) + t % 2 * 8 for g, t in lanes], 8) for c in range(2) for s in range(2))
    return result


def registers():
    table = {}
    for line in (HERE / "registers.txt").read_text().splitlines():
        part = line.split()
        if len(part) == 7 and part[1] in ("sm_80", "sm_90a"):
            table[part[0], part[1]] = tuple(int(number) for number in part[3:])
    return table


def hopper_splits(product, m, n, machine):
    """Of blocks of 64 tokens, with k = n."""
    group = 0 if PRODUCTS[product][2] > 16 else 1 << PRODUCTS[product][2]
    wanted = machine["count"] // (ceil(n, HOPPER_FEATURES) * ceil(m, 64))
    return max(1, min(wanted, n // (4 * max(128, group))))


def kernel_for(product, m, n, machine):
    """As CudaQuantizedMatmul and HopperQuantizedMatmul choose."""
    bits, integers, *_ = PRODUCTS[product]
    for tokens in (128, 64) if "wgmma" in machine else ():
        splits = 1 if tokens == 128 else hopper_splits(product, m, n, machine)
        if m > tokens // 2 and 2 * splits * ceil(n, HOPPER_FEATURES) * ceil(m, tokens) >= machine["count"]:
            return f"matmul_int{bits}_{'codes' if integers else 'bf16'}_{tokens}_sm90a"
    tokens = 8 if m <= 8 and not integers else 16 if m <= 16 else 64 if m <= 64 else 128
    return f"matmul_int{bits}_{'codes' if integers else 'bf16'}_{tokens}"


def ceil(a, b):
    return -(-a // b)


def row(product, m, n, machine, counted):
    bits, integers, shift, scale_bytes, _ = PRODUCTS[product]
    kernel = kernel_for(product, m, n, machine)
    k = n
    groups = 1 if shift > 16 else k >> shift
    weight = n * (k * bits // 8 + groups * scale_bytes)
    rate = "int8" if integers else "bf16"
    if kernel in HOPPER:
        turn, tokens = HOPPER[kernel][2:4]
        splits = 1 if tokens == 128 else hopper_splits(product, m, n, machine)
        blocks = ceil(n, HOPPER_FEATURES) * ceil(m, tokens)
        partial = 0 if splits == 1 else 2 * 4 * blocks * splits * HOPPER_FEATURES * tokens
        count, group = counted[product, kernel]
        instructions_a_block = count["all"] * ceil(k, turn) + group * groups
        unit, speed = "wgmma", machine["wgmma"][rate]
    else:
        _, tiles, slices, sides, depth, stages, _ = TILES[kernel]
        tokens = 8 * tiles * sides
        blocks = ceil(n, FEATURES) * ceil(m, tokens)
        splits = max(1, min(2 * machine["count"] // blocks, k // depth // 4))
        partial = 0 if splits == 1 else 2 * 4 * blocks * splits * FEATURES * tokens
        instructions_a_block = counted[product, kernel]["all"] * ceil(k, depth)
        unit, speed = "mma.sync", machine[rate]
    # Codes of x are written and read once more than x.
    data = weight + m * k * (2 + (2 if integers else 0)) + m * n * 2
    memory = data / machine["bytes"]
    issued = instructions_a_block * 8 * blocks / (machine["count"] * 4 * machine["clock"])
    tensor = 2 * ceil(m, tokens) * tokens * n * k / speed
    limit = max(memory, issued, tensor)
    by = {memory: "memory", issued: "instructions", tensor: unit}[limit]
    library = max((n * k * 2 + m * k * 2 + m * n * 2) / machine["bytes"], 2 * m * n * k / machine["library"])
    return [product, m, kernel, splits, f"{data / 1e6:.1f}", f"{partial / 1e6:.1f}", *(f"{t * 1e6:.1f}" for t in (memory, issued, tensor, limit)), by, f"{library / limit:.2f}x"]


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    lines += ["| " + " | ".join(str(cell) for cell in r) + " |" for r in rows]
    return "\n".join(lines)


def classes(counts):
    def total(*patterns):
        return sum(v for name, v in counts.items() if re.match("|".join(patterns), name))

    return {
        "all": sum(counts.values()),
        "mma": total(r"mma\.", r"wgmma\.mma"),
        "shared": total(r"ld\.shared", r"ld\.v\d", r"ldmatrix", r"ld\.u64", r"ld\.b64"),
        "copies": total(r"cp\.async\.cg"),
        "bits": total(r"and", r"or", r"xor", r"shr", r"shl", r"prmt", r"lop3", r"bfe"),
        "halves": total(r"fma\.rn\.(bf16x2|f16x2)"),
        "floats": total(r"(fma|mul|add|sub)\.(rn\.)?f32"),
    }


def document():
    counted, loops = {}, []
    used = registers()
    for product, (bits, integers, *_) in PRODUCTS.items():
        for kernel, (tile_bits, tiles, slices, sides, depth, stages, tile_integers) in TILES.items():
            if (tile_bits, tile_integers) != (bits, integers):
                continue
            trips = 1 if tiles < 4 else depth // 32 // slices
            count = classes(stage_loop(ptx_of(kernel, product), trips))
            counted[product, kernel] = count
            codes = FEATURES * depth // 8 // 32
            shared = used[kernel, "sm_80"][2]
            cells = [kernel, depth, stages, *(count[c] for c in ("all", "mma", "shared", "copies", "bits", "halves", "floats")), f"{count['all'] / codes:.2f}", f"{shared / 1024:.0f}"]
            for target in ("sm_80", "sm_90a"):
                number, spilled, *_ = used[kernel, target]
                cells.append(f"{number}" + (f" ({spilled} B spilled)" if spilled else ""))
            for name, machine in MACHINES.items():
                resident = min(used[kernel, "sm_80" if name == "RTX 4090" else "sm_90a"][3], machine["shared"] // (shared + 1024))
                flight = resident * machine["count"] * (stages - 1) * FEATURES * depth * bits // 8
                cells.append(f"{resident} ({flight / machine['bytes'] / machine['latency']:.1f}x)")
            loops.append(cells)
    hopper = []
    for product, (bits, integers, *_) in PRODUCTS.items():
        for kernel, (its_bits, its_integers, turn, _) in HOPPER.items():
            if (its_bits, its_integers) == (bits, integers):
                count, group = counted[product, kernel] = hopper_counts(kernel, product)
                number, spilled, shared, _ = used[kernel, "sm_90a"]
                codes = HOPPER_FEATURES * turn // 8 // 32
                hopper.append([kernel, turn, *(f"{count[c]:.0f}" for c in ("all", "mma", "shared", "bits", "halves", "floats")), f"{count['all'] / codes:.2f}", f"{group:.0f}", f"{shared / 1024:.0f}", f"{number}" + (f" ({spilled} B spilled)" if spilled else "")])
    conflicts = []
    for kernel, (bits, tiles, _, sides, depth, _, integers) in TILES.items():
        c = bank_conflicts(bits, integers, 8 * tiles * sides, depth)
        conflicts.append([kernel, *c.values()])
    parts = [
        "A warp's instructions in one stage (128 features by the stage's depth, eight warps), counted in PTX; `a code` is for each of a lane's"
        " codes. Blocks are those that a multiprocessor has room for, and beside them how many times the bytes of codes under way are what"
        " bandwidth times latency asks for.",
        table(
            ["kernel", "depth", "stages", "all", "mma", "shared loads", "copies", "bit operations", "16-bit fma", "F32", "a code", "shared KB", "registers sm_80", "sm_90a", *(f"blocks, {m}" for m in MACHINES)],
            loops,
        ),
        "The same of the kernels of warpgroups: a warp's instructions in one turn (256 features by the turn's depth, eight warps multiply), what each group adds to"
        " them, and registers of a launch's threads, of which those that multiply have 232.",
        table(["kernel", "turn", "all", "wgmma", "shared loads", "bit operations", "16-bit fma", "F32", "a code", "a group", "shared KB", "registers"], hopper),
        "Visits of a bank for one access of a warp's part that goes at once; 1 is without conflict.",
        table(["kernel", "x written", "codes written", "codes read", "x read"], conflicts),
    ]
    for name, machine in MACHINES.items():
        for n in (8192, 4096):
            rows = [row(product, m, n, machine, counted) for product in PRODUCTS for m in TOKENS]
            parts.append(f"{name}, N = K = {n}: MB are what must cross the memory, and what splits of k leave in the second-level cache; microseconds of each of the three bounds, the largest of them, and how much longer a product in bf16 takes at its own bound.")
            parts.append(table(["product", "M", "kernel", "splits", "MB", "MB of splits", "memory us", "issue us", "mma us", "limit us", "by", "beside bf16"], rows))
    return "\n\n".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail where the document is not what would be written")
    arguments = parser.parse_args()
    text = DOC.read_text()
    new = text
    sections = {"quantised": document, "rows": lambda: on_paper_rows.document(MACHINES, table, compile_ptx, HERE)}
    for section, write in sections.items():
        begin, end = f"<!-- {section} -->\n", f"\n<!-- end of {section} -->"
        head, rest = new.split(begin)
        new = head + begin + write() + end + rest.split(end)[1]
    if arguments.check:
        if new != text:
            raise SystemExit(f"{DOC} is not what cuda-src/on_paper.py writes")
    else:
        DOC.write_text(new)


if __name__ == "__main__":
    main()
