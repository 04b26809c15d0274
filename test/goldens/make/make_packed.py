"""Writes packed.txt: blocks of weights, and the bytes that the documentation of PackedLayout says they are packed as.

python3 make_packed.py > ../packed/packed.txt"""

import random
import struct

PANEL = 32
FEATURES, DEPTH = 3, 128


def stored_blocks(codes, scale, zero, kind):
    """A block as BlockFormat describes it: codes are signed."""
    if kind == "INT8":
        return struct.pack("<f", scale) + struct.pack(f"{len(codes)}b", *codes)
    if kind == "Q8_0":
        return struct.pack("<e", scale) + struct.pack(f"{len(codes)}b", *codes)
    half = len(codes) // 2
    nibbles = bytes((codes[i] + 8) | (codes[i + half] + 8) << 4 for i in range(half))
    head = struct.pack("<e", scale) + (bytes([zero + 8]) if kind == "INT4_ZERO" else b"")
    return head + nibbles


def record(groups, bits, kind, whole):
    """One group of a panel: scales, what is beside them, and words of codes."""
    size = len(groups[0][0])
    f32 = kind == "INT8"
    out = b"".join(struct.pack("<f" if f32 else "<e", scale) for _, scale, _ in groups)
    if kind == "INT4_ZERO":
        out += b"".join(struct.pack("b", zero) for _, _, zero in groups)
    if whole:
        out += b"".join(struct.pack("<f", scale * sum(codes)) for codes, scale, _ in groups)
    each = 32 // bits
    for word in range((size + each - 1) // each):
        for codes, _, _ in groups:
            part = codes[word * each : (word + 1) * each]
            part += [0] * (each - len(part))
            if bits == 8:
                out += bytes(c + 128 for c in part)
            else:
                out += bytes((part[i] + 8) | (part[i + 4] + 8) << 4 for i in range(4))
    return out


def main():
    numbers = random.Random(1)
    print("layout version 1")
    for name, kind, size in [
        ("INT8", "INT8", DEPTH),
        ("INT8:32", "INT8", 32),
        ("INT4:32", "INT4", 32),
        ("INT4:128", "INT4", 128),
        ("INT4_ZERO:64", "INT4_ZERO", 64),
        ("Q4_0", "INT4", 32),
        ("Q8_0", "Q8_0", 32),
    ]:
        bits = 4 if kind.startswith("INT4") else 8
        least = -8 if bits == 4 else -127
        blocks, packed = b"", b""
        rows = []
        for _ in range(FEATURES):
            row = []
            for _ in range(DEPTH // size):
                codes = [numbers.randint(least, -least - 1) for _ in range(size)]
                scale = numbers.randint(1, 2047) / 1024
                zero = numbers.randint(-8, 7) if kind == "INT4_ZERO" else 0
                # Q4_0 and INT4 keep their codes alike.
                blocks += stored_blocks(codes, scale, zero, kind)
                row.append((codes, scale, zero))
            rows.append(row)
        for g in range(DEPTH // size):
            empty = ([0] * size, 0.0, 0)
            groups = [rows[f][g] if f < FEATURES else empty for f in range(PANEL)]
            packed += record(groups, bits, kind, name == "INT8")
        print(name, FEATURES, DEPTH, blocks.hex(), packed.hex())


main()
