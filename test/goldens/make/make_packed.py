"""Writes packed.txt: blocks of weights, and the bytes that the documentation of PackedLayout says they are packed as.

python3 make_packed.py > ../packed/packed.txt"""

import random
import struct

PANEL = 32
FEATURES, DEPTH = 3, 128
SUPER = 256  # input features of groups that share a scale


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


def four_bits(codes, half):
    """Codes of half their number apart share a byte."""
    return bytes(codes[i] & 15 | (codes[i + half] & 15) << 4 for i in range(half))


def six_bits(scales, mins):
    """The twelve bytes of Q4_K and Q5_K."""
    first = bytes(scales[j] | scales[4 + j] >> 4 << 6 for j in range(4))
    second = bytes(mins[j] | mins[4 + j] >> 4 << 6 for j in range(4))
    return first + second + bytes(scales[4 + j] & 15 | (mins[4 + j] & 15) << 4 for j in range(4))


def ggml_block(kind, codes, scale, least, times, less):
    """A block of GGML's, of unsigned codes."""
    head = struct.pack("<e", scale) + (b"" if least is None else struct.pack("<e", least))
    if kind == "Q4_1":
        return head + four_bits(codes, 16)
    if kind in ("Q5_0", "Q5_1"):
        fifths = sum((c >> 4) << i for i, c in enumerate(codes))
        return head + struct.pack("<I", fifths) + four_bits(codes, 16)
    if kind == "Q2_K":
        pairs = bytearray(64)
        for i, c in enumerate(codes):
            pairs[i // 128 * 32 + i % 32] |= c << i % 128 // 32 * 2
        return bytes(t | l << 4 for t, l in zip(times, less)) + bytes(pairs) + head
    if kind == "Q6_K":
        low, upper = bytearray(128), bytearray(64)
        for i, c in enumerate(codes):
            half, at = i // 128, i % 128
            low[half * 64 + at % 64] |= (c & 15) << at // 64 * 4
            upper[half * 32 + at % 32] |= (c >> 4) << at // 32 * 2
        return bytes(low) + bytes(upper) + struct.pack("16b", *times) + head
    low = b"".join(four_bits(codes[i : i + 64], 32) for i in range(0, SUPER, 64))
    fifths = b""
    if kind == "Q5_K":
        fifths = bytes(sum((codes[32 * s + i] >> 4) << s for s in range(8)) for i in range(32))
    return head + six_bits(times, less) + fifths + low


def words(features, bits):
    """The words of a group of a panel, of unsigned codes."""
    unit = {4: 8, 5: 32, 6: 16}[bits]
    out = b""
    for begin in range(0, len(features[0]), unit):
        parts = [codes[begin : begin + unit] for codes in features]
        for eight in range(0, unit, 8):
            for part in parts:
                out += bytes(part[eight + i] & 15 | (part[eight + i + 4] & 15) << 4 for i in range(4))
        if bits > 4:
            for part in parts:
                upper = [0] * 4
                for i, c in enumerate(part):
                    upper[i % 4] |= (c >> 4) << i // 4 * (bits - 4)
                out += bytes(upper)
    return out


def compact(numbers):
    """Formats that a processor has packed in about as many bytes as a file."""
    for kind, bits, size, group in [
        ("Q4_1", 4, 32, 32),
        ("Q5_0", 5, 32, 32),
        ("Q5_1", 5, 32, 32),
        ("Q4_K", 4, SUPER, 32),
        ("Q5_K", 5, SUPER, 32),
        ("Q6_K", 6, SUPER, 16),
        ("Q2_K", 4, SUPER, 16),
    ]:
        depth, each = SUPER, size // group
        has_least = kind not in ("Q5_0", "Q6_K")
        rows, blocks = [], b""
        for _ in range(FEATURES):
            row = []
            for _ in range(depth // size):
                codes = [numbers.randint(0, 3 if kind == "Q2_K" else (1 << bits) - 1) for _ in range(size)]
                scale = numbers.randint(1, 2047) / 1024
                least = numbers.randint(-2047, 2047) / 1024 if has_least else None
                low, high = {"Q6_K": (-128, 127), "Q2_K": (0, 15)}.get(kind, (0, 63))
                times = [numbers.randint(low, high) for _ in range(each)]
                less = [numbers.randint(0, high if kind == "Q2_K" else 63) for _ in range(each)]
                blocks += ggml_block(kind, codes, scale, least, times, less)
                row.append((codes, scale, least, times, less))
            rows.append(row)
        packed = b""
        for b in range(depth // size):
            empty = ([1 << (bits - 1)] * size, 0.0, 0.0, [0] * each, [0] * each)
            panel = [rows[f][b] if f < FEATURES else empty for f in range(PANEL)]
            packed += b"".join(struct.pack("<e", feature[1]) for feature in panel)
            if has_least:
                packed += b"".join(struct.pack("<e", feature[2]) for feature in panel)
            for beside in (3, 4) if has_least else (3,):
                for g in range(each if size == SUPER else 0):
                    packed += b"".join(struct.pack("b", feature[beside][g]) for feature in panel)
            for g in range(each):
                packed += words([f[0][g * group : (g + 1) * group] for f in panel], bits)
        print(kind, FEATURES, depth, blocks.hex(), packed.hex())


def mxfp4(numbers):
    """Codes of five bits are twice the values, which are 4-bit floats (OCP Microscaling Formats, 1.0)."""
    twice = [0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12]
    depth, features, blocks = 64, [], b""
    for _ in range(FEATURES):
        for _ in range(depth // 32):
            exponent, codes = numbers.randint(2, 254), [numbers.randint(0, 15) for _ in range(32)]
            blocks += bytes([exponent]) + four_bits(codes, 16)
            features.append((2.0 ** (exponent - 128), [twice[c] + 16 for c in codes]))
    packed = b""
    for b in range(depth // 32):
        panel = features[b :: depth // 32] + [(0.0, [16] * 32)] * (PANEL - FEATURES)
        packed += b"".join(struct.pack("<f", scale) for scale, _ in panel)
        packed += words([codes for _, codes in panel], 5)
    print("MXFP4", FEATURES, depth, blocks.hex(), packed.hex())


def main():
    numbers = random.Random(1)
    print("layout version 2")
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
    compact(numbers)
    mxfp4(numbers)


main()
