"""What bounds attention, for on_paper.py: instructions of its kernels in SASS, and what splits of keys give few queries."""

import pathlib
import struct
import subprocess
import tempfile

HERE = pathlib.Path(__file__).resolve().parent

# The instructions that limits of rows and the softmax are made of, by the low bits of SASS from sm_70 on.
OPERATIONS = {"ISETP": 0x00C, "BRA": 0x147, "FSEL": 0x008, "FMNMX": 0x009, "FMUL": 0x020, "FADD": 0x021, "FFMA": 0x023, "MUFU": 0x108}
NOTHING = 0x118

# Source, its kernels for head size 128 or else the widest, queries and keys of a tile, warps that compute.
KERNELS = (
    ("attention/tiles_sm90a.cu", "attention_bf16_64_sm90a", 64, 128, 128, 8),
    ("attention/tiles_sm90a.cu", "attention_bf16_128_sm90a", 128, 128, 128, 8),
    ("attention/tiles.cu", "attention_bf16_64", 64, 64, 64, 4),
    ("attention/tiles.cu", "attention_bf16_128", 128, 64, 64, 4),
    ("attention/decode.cu", "attention_decode_bf16_64", 64, 16, 16, 1),
    ("attention/decode.cu", "attention_decode_bf16_128", 128, 16, 16, 1),
)


def cubin(source):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "counted.cubin"
        subprocess.run(
            ["nvcc", "-std=c++17", "-O3", "-I", str(HERE / "include"), "-I", str(HERE), "-arch=sm_90a", "-cubin", "-o", str(file), str(source)],
            check=True,
            capture_output=True,
        )
        return file.read_bytes()


def instructions(binary):
    """Of each kernel of an ELF file the number of instructions by operation, and of all; each has 16 bytes."""
    (sections,) = struct.unpack_from("<Q", binary, 40)
    size, count, names = struct.unpack_from("<HHH", binary, 58)
    headers = [struct.unpack_from("<IIQQQQ", binary, sections + i * size) for i in range(count)]
    found = {}
    for name, _, _, _, offset, length in headers:
        begin = headers[names][4] + name
        text = binary[begin : binary.index(0, begin)].decode()
        if text.startswith(".text."):
            codes = [struct.unpack_from("<Q", binary, at)[0] & 0x1FF for at in range(offset, offset + length, 16)]
            counts = {operation: codes.count(code) for operation, code in OPERATIONS.items()}
            found[text[len(".text.") :]] = dict(counts, all=len(codes) - codes.count(NOTHING))
    return found


def softmax(keys, edge):
    """Instructions of the softmax of a tile, with the keys at an edge hidden or none, without those that read and write what it needs."""

    def kernel(body):
        text = f"""
#include "attention/fragments.h"
using namespace gatun;
extern "C" __global__ void counted(float* memory, const ScoreRow* from, float factor, int first) {{
  const ScoreRow rows[2] = {{from[threadIdx.x], from[threadIdx.x + 8]}};
  float scores[{keys // 2}], correction[2] = {{0, 0}};
  OnlineSoftmax softmax;
  for (int i = 0; i < {keys // 2}; i++) scores[i] = memory[threadIdx.x + i * 32];
  softmax.top[0] = memory[0];
  softmax.top[1] = memory[1];
  {body}
  for (int i = 0; i < {keys // 2}; i++) memory[threadIdx.x + i * 32] = scores[i];
  for (int i = 0; i < 2; i++) memory[i] = softmax.top[i] + softmax.total[i] + correction[i] + rows[i].begin + rows[i].end + first + factor;
}}
"""
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder) / "counted.cu"
            source.write_text(text)
            return instructions(cubin(source))["counted"]["all"]

    hide = f"hide_unseen<{keys}>(rows, first, scores);"
    soften = f"softmax.soften<{keys}>(factor, scores, correction);"
    return kernel((hide if edge else "") + soften) - kernel("")


def ceil(a, b):
    return -(-a // b)


def few_queries(queries, keys, machine):
    """32 heads of 128 that share 8 heads of keys, one sequence: as CudaAttention chooses."""
    heads, kv_heads, size = 32, 8, 128
    decoding = queries <= 8
    rows = 16 if decoding else 64
    tiles = kv_heads * ceil(queries * heads // kv_heads, rows) if decoding else heads * ceil(queries, rows)
    splits = max(1, min(ceil(2 * machine["count"], tiles), ceil(keys, 256)))
    memory = 2 * kv_heads * keys * size * 2 / machine["bytes"]
    tile = 4 * rows * keys * size / (machine["bf16"] / machine["count"])
    partial = 0 if splits == 1 else 2 * 4 * heads * queries * splits * size
    # A multiprocessor's tensor cores are one block's, or shared by blocks that are there at once.
    time = lambda blocks: max(memory, tile * tiles / min(blocks, machine["count"]))
    return [
        "attention_decode_bf16_128" if decoding else "attention_bf16_128",
        queries,
        keys,
        tiles,
        splits,
        f"{partial / 1e6:.1f}",
        f"{memory * 1e6:.1f}",
        f"{time(tiles) * 1e6:.1f}",
        f"{time(tiles * splits) * 1e6:.1f}",
        f"{time(tiles) / time(tiles * splits):.1f}x",
    ]


def document(table, machines):
    rows, sass, tiles = [], {}, {}
    machine = machines["H100 SXM"]
    for source, kernel, size, queries, keys, warps in KERNELS:
        if source not in sass:
            sass[source] = instructions(cubin(HERE / source))
        if keys not in tiles:
            tiles[keys] = softmax(keys, False), softmax(keys, True)
        counts = sass[source][kernel]
        plain, edge = tiles[keys]
        wgmma = kernel.endswith("sm90a")
        speed = (machine["wgmma"] if wgmma else machine)["bf16"] / machine["count"] / machine["clock"]
        product = 4 * queries * keys * size / speed
        issue = lambda count: count * warps / 4
        rows.append([kernel, *(counts[o] for o in ("all", *OPERATIONS)), plain, edge, f"{product:.0f}", f"{issue(plain):.0f}", f"{issue(edge):.0f}"])
    few = [few_queries(q, k, machine) for k in (4096, 32768) for q in (1, 8, 9, 16, 32, 64)]
    return "\n\n".join(
        [
            "Instructions of whole kernels in SASS of sm_90a, of which some operations; then those of a warp's softmax over one tile, inside and at an"
            " edge; and cycles of a multiprocessor of H100 SXM: the tile's two products, and the issue of its softmax inside and at an edge.",
            table(["kernel", "all", *OPERATIONS, "softmax inside", "at an edge", "product cycles", "issue inside", "issue at an edge"], rows),
            "H100 SXM, one sequence, 32 heads of 128 that share 8 heads of keys: blocks of rows, splits of keys, MB of partial sums, microseconds to"
            " read the keys and values once, and of the larger of that and the products without splits and with them.",
            table(["kernel", "queries", "keys", "blocks", "splits", "MB of splits", "memory us", "without splits us", "with splits us", "gain"], few),
        ]
    )
