"""Writes grids.bin, the grids of GGML's IQ1 to IQ3 as the Python package gguf has them: for each grid in turn its entries,
16 bits each, little-endian, with the number of each element's value, the first element in the low bits: eight elements of
two bits, or four of four bits.

python3 make_grids.py ../../../kernels/formats/src/main/resources/dev/gatun/kernels/formats/grids.bin"""

import struct
import sys

from gguf import quants


def entries(kind):
    kind.init_grid()
    grid = kind.grid.reshape(kind.grid_shape)
    bits = 16 // kind.grid_shape[1]
    for row in grid:
        yield sum(kind.grid_map.index(int(x)) << bits * i for i, x in enumerate(row))


with open(sys.argv[1], "wb") as out:
    for kind in (quants.IQ1_S, quants.IQ2_XXS, quants.IQ2_XS, quants.IQ2_S, quants.IQ3_XXS, quants.IQ3_S):
        out.write(b"".join(struct.pack("<H", e) for e in entries(kind)))
