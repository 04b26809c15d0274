package dev.gatun.kernels.formats;

import java.lang.foreign.MemorySegment;

/**
 * {@code INT4}: the element of the largest magnitude becomes -8, so that all sixteen codes are
 * used; codes are rounded to nearest even of the scale as F16 has it.
 */
final class Int4Codec implements BlockCodec {
  @Override
  public void encode(float[] x, int size, MemorySegment out, long at) {
    float scale = Bytes.setF16(out, at, Rounding.extreme(x, size) / -8);
    int[] codes = new int[size];
    for (int i = 0; i < size; i++) {
      codes[i] = Rounding.even(x[i], scale, -8, 7) + 8;
    }
    Bytes.setNibbles(out, at + 2, codes, size);
  }

  @Override
  public void decode(MemorySegment in, long at, Block block) {
    block.scales[0] = Bytes.f16(in, at);
    Bytes.nibbles(in, at + 2, block.codes, block.size(), 8);
  }
}
