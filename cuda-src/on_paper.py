"""Works out what bounds the products with quantised weights, and attention, and writes it into docs/kernels-on-paper.md.

python3 cuda-src/on_paper.py [--check]

Instructions are counted in the PTX of a kernel's loop over stages, with the layout of a row known to the compiler so that no
other layout's branches are counted. Registers and shared memory are those of registers.txt. Nothing in the tables is typed by hand but the
machines' figures below."""

import argparse
import pathlib
import re
import subprocess
import tempfile

import attention_on_paper
import rows_on_paper

HERE = pathlib.Path(__file__).resolve().parent
DOC = HERE.parent / "docs" / "kernels-on-paper.md"
FEATURES = 128

# Multiprocessors, GHz, bytes/s that reads reach, FLOP/s that mma.sync reaches in bf16 and int8, bf16 FLOP/s of the
# vendor's library, shared memory of a multiprocessor, the latency of its memory in seconds. What reads of the second-level
# cache reach in bytes/s, of which a multiprocessor alone gets 64 bytes a cycle at most, and their latency in seconds. What
# wgmma reaches where it is: in bf16 as that library, in int8 as others' products of fp8, which have the same rate.
MACHINES = {
    "H100 SXM": dict(count=132, clock=1.755e9, bytes=3.0e12, bf16=630e12, int8=1250e12, library=798e12, shared=227 << 10, latency=700e-9, l2=6.5e12, l2_latency=200e-9, wgmma=dict(bf16=798e12, int8=1500e12)),
    "RTX 4090": dict(count=128, clock=2.52e9, bytes=0.93e12, bf16=165e12, int8=660e12, library=165e12, shared=99 << 10, latency=600e-9, l2=5.0e12, l2_latency=120e-9),
}
# Of a multiprocessor, bytes from the second-level cache in a cycle. Seconds that each launch of a graph adds.
L2_BYTES, NODE = 64, 1.5e-6


def shapes():
    """The tiles of quantized/tile_shapes.h by their names: each has a number for each constant."""
    found = {}
    for name, base, body in re.findall(r"struct (\w+)(?: : (\w+))? \{([^}]*)\}", (HERE / "quantized" / "tile_shapes.h").read_text()):
        found[name] = {**found.get(base, {}), **{key: int(value) for key, value in re.findall(r"(k\w+) = (\d+)", body)}}
    return found


def instances(pattern):
    """Each kernel of a source of quantised products, and its tile's name."""
    return {name: shape for source in sorted((HERE / "quantized").glob("w[48]a*.cu")) for name, shape in re.findall(pattern, source.read_text())}


SHAPES = shapes()
# Kernels of mma that F16 does not double: their tiles.
TILES = {name: SHAPES[shape] | {"name": shape} for name, shape in instances(r"GATUN_(?:WEIGHT_ONLY|INT8)\((w\da(?:16_bf16|8)_m\d+), (?:Bf16, )?(\w+)\)").items()}

# Kernels of warpgroups: bits, integers or not, input features of a turn, tokens.
HOPPER = {
    f"w{bits}a{'8' if integers else '16_bf16'}_m{tokens}_sm90a": (bits, integers, 64 if integers else 32, tokens)
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
    tile = f"{'Int8Tile' if integers else 'WeightOnlyTile'}<{TILES[kernel]['name']}>"
    product_of = "int8_product<S>" if integers else "weight_only_product<S, true>"
    source = f"""
#include "quantized/{'int8_activations' if integers else 'weight_only'}.h"
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
        text = (HERE / "quantized" / "w8a8_sm90a.cu").read_text()
        return compile_ptx(text.replace(kernel, "counted"), "sm_90a")
    scales = PRODUCTS[product][4] if grouped else "kScaleF32Sum"
    return compile_ptx(
        f"""
#include "quantized/weight_only_sm90a.h"
using namespace gatun;
extern "C" __global__ void __launch_bounds__(kThreads, 1) counted(const __grid_constant__ TensorMap x, const __grid_constant__ TensorMap codes, const __grid_constant__ QuantizedProduct given) {{
  QuantizedProduct p = given;
  p.scales = {scales};
  p.shift = {PRODUCTS[product][2] if grouped else 62};
  warpgroup_weight_only_product<true, {bits}, {tokens}>(x, codes, p);
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
        if len(part) == 9 and part[1] in ("sm_80", "sm_90a"):
            used, _, spilled, shared, blocks, _ = (int(number) for number in part[3:])
            table[part[0], part[1]] = used, spilled, shared, blocks
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
            return f"w{bits}a{'8' if integers else '16_bf16'}_m{tokens}_sm90a"
    tokens = 8 if m <= 8 and not integers else 16 if m <= 16 else 64 if m <= 64 else 128
    return f"w{bits}a{'8' if integers else '16_bf16'}_m{tokens}"


def ceil(a, b):
    return -(-a // b)


class Plan:
    """Which kernel computes a product, and how its work is divided."""

    def __init__(self, product, m, n, machine):
        self.kernel = kernel_for(product, m, n, machine)
        self.k = n
        if self.kernel in HOPPER:
            self.features, self.tokens, self.threads = HOPPER_FEATURES, HOPPER[self.kernel][3], 256
            self.splits = 1 if self.tokens == 128 else hopper_splits(product, m, n, machine)
        else:
            tile = TILES[self.kernel]
            depth = tile["kDepth"]
            self.features, self.tokens, self.threads = FEATURES, tile["kTokens"], 256 // tile["kWarpsK"]
        self.tiles = ceil(n, self.features) * ceil(m, self.tokens)
        if self.kernel in TILES:
            self.splits = max(1, min(2 * machine["count"] // self.tiles, n // depth // 4))

    def tile_sums(self):
        return self.features * self.tokens

    def partial(self):
        """Bytes that splits leave in the second-level cache, and read again."""
        return 0 if self.splits == 1 else 2 * 4 * self.tiles * self.splits * self.tile_sums()


def l2_bytes(product, plan):
    """What all blocks read of weights and of x, and what splits write and read."""
    bits, integers, shift, scale_bytes, _ = PRODUCTS[product]
    groups = 1 if shift > 16 else plan.k >> shift
    weight = plan.features * (plan.k * bits // 8 + groups * scale_bytes)
    return plan.tiles * (weight + plan.tokens * plan.k * (1 if integers else 2)) + plan.partial()


def join(plan, machine, vectors):
    """Round trips to the second-level cache of the threads that add a tile's sums, and seconds, where one block adds all of them: by
    vectors of four sums, as many splits at a time as make 16 loads, or sum by sum, the first split's and then four others' at a time."""
    sums = plan.tile_sums() // plan.threads
    if vectors:
        trips = ceil(plan.splits, max(1, 16 // (sums // 4)))
    else:
        trips = sums * (1 + ceil(plan.splits - 1, 4))
    # Beside them what was written becomes seen, and then is counted.
    return trips, (trips + 2) * machine["l2_latency"] + 4 * plan.splits * plan.tile_sums() / (L2_BYTES * machine["clock"])


def split_row(product, m, n, machine, limit):
    """What splits of k add to the bound of a product, and what they would add if sums were added one by one and a launch set the counters."""
    plan = Plan(product, m, n, machine)
    if plan.splits == 1:
        return None
    launches = 2 if PRODUCTS[product][1] else 1
    (trips, seconds), (one_by_one, longer) = (join(plan, machine, vectors) for vectors in (True, False))
    all_of_it, all_before = limit + seconds + launches * NODE, limit + longer + (launches + 1) * NODE
    return [product, m, plan.kernel, plan.splits, one_by_one, f"{longer * 1e6:.1f}", launches + 1, f"{all_before * 1e6:.1f}", trips, f"{seconds * 1e6:.1f}", launches, f"{all_of_it * 1e6:.1f}", f"{all_before / all_of_it:.2f}x"]


def row(product, m, n, machine, counted):
    bits, integers, shift, scale_bytes, _ = PRODUCTS[product]
    plan = Plan(product, m, n, machine)
    kernel, k, splits, tokens = plan.kernel, plan.k, plan.splits, plan.tokens
    groups = 1 if shift > 16 else k >> shift
    weight = n * (k * bits // 8 + groups * scale_bytes)
    rate = "int8" if integers else "bf16"
    if kernel in HOPPER:
        turn = HOPPER[kernel][2]
        count, group = counted[product, kernel]
        instructions_a_block = count["all"] * ceil(k, turn) + group * groups
        unit, speed = "wgmma", machine["wgmma"][rate]
    else:
        instructions_a_block = counted[product, kernel]["all"] * ceil(k, TILES[kernel]["kDepth"])
        unit, speed = "mma.sync", machine[rate]
    # Codes of x are written and read once more than x.
    data = weight + m * k * (2 + (2 if integers else 0)) + m * n * 2
    memory = data / machine["bytes"]
    cached = l2_bytes(product, plan)
    cache = cached / machine["l2"]
    issued = instructions_a_block * 8 * plan.tiles / (machine["count"] * 4 * machine["clock"])
    tensor = 2 * ceil(m, tokens) * tokens * n * k / speed
    limit = max(memory, cache, issued, tensor)
    by = {memory: "memory", cache: "L2", issued: "instructions", tensor: unit}[limit]
    library = max((n * k * 2 + m * k * 2 + m * n * 2) / machine["bytes"], 2 * m * n * k / machine["library"])
    return limit, [product, m, kernel, splits, f"{data / 1e6:.1f}", f"{cached / 1e6:.1f}", f"{plan.partial() / 1e6:.1f}", *(f"{t * 1e6:.1f}" for t in (memory, cache, issued, tensor, limit)), by, f"{library / limit:.2f}x"]


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
        for kernel, tile in TILES.items():
            if not kernel.startswith(f"w{bits}a{8 if integers else 16}_"):
                continue
            depth, stages = tile["kDepth"], tile["kStages"]
            trips = 1 if tile["kTokens"] <= 16 else depth // 32 // tile["kWarpsK"]
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
    for kernel, tile in TILES.items():
        c = bank_conflicts(tile["kBits"], "a8_" in kernel, tile["kTokens"], tile["kDepth"])
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
            rows = {(product, m): row(product, m, n, machine, counted) for product in PRODUCTS for m in TOKENS}
            parts.append(f"{name}, N = K = {n}: MB are what must cross the memory, what blocks read of the second-level cache with what splits of k write and read there, and that of the splits alone; microseconds of each of the four bounds, the largest of them, and how much longer a product in bf16 takes at its own bound.")
            parts.append(table(["product", "M", "kernel", "splits", "MB", "MB of L2", "of splits", "memory us", "L2 us", "issue us", "mma us", "limit us", "by", "beside bf16"], [cells for _, cells in rows.values()]))
            joins = [split_row(product, m, n, machine, limit) for (product, m), (limit, _) in rows.items()]
            parts.append(f"{name}, N = K = {n}: what joining splits and launching adds to the limit inside a graph, {NODE * 1e6:.1f} us a launch, where one block adds a tile's sums. Left, sums that are added one after another with a launch that sets the counters; right, split after split by vectors with counters that are 0 again; the gain that is expected of the second.")
            parts.append(table(["product", "M", "kernel", "splits", "round trips", "join us", "launches", "all us", "round trips by vectors", "join us", "launches", "all us", "gain"], [cells for cells in joins if cells]))
    return "\n\n".join(parts)


def section(text, name, content):
    """The text with what lies between two marks replaced."""
    begin, end = f"<!-- {name} -->\n", f"\n<!-- end of {name} -->"
    head, rest = text.split(begin)
    return head + begin + content + end + rest.split(end)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail where the document is not what would be written")
    arguments = parser.parse_args()
    text = DOC.read_text()
    new = section(text, "quantised", document())
    new = section(new, "attention", attention_on_paper.document(table, MACHINES))
    new = section(new, "rows", rows_on_paper.document(MACHINES, table, compile_ptx, HERE))
    if arguments.check:
        if new != text:
            raise SystemExit(f"{DOC} is not what cuda-src/on_paper.py writes")
    else:
        DOC.write_text(new)


if __name__ == "__main__":
    main()
