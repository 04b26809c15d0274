package dev.gatun.kernels.formats;

import java.lang.foreign.MemorySegment;

/**
 * {@code INT4_ZERO}: the range of the elements, widened to hold 0, in fifteen steps; 0 is a code.
 */
final class Int4ZeroCodec implements BlockCodec {
  @Override
  public void encode(float[] x, int size, MemorySegment out, long at) {
    float least = 0;
    float most = 0;
    for (int i = 0; i < size; i++) {
      least = Math.min(least, x[i]);
      most = Math.max(most, x[i]);
    }
    float scale = Bytes.setF16(out, at, (most - least) / 15);
    int zero = Rounding.even(-least, scale, 0, 15);
    Bytes.setU8(out, at + 2, zero);
    int[] codes = new int[size];
    for (int i = 0; i < size; i++) {
      codes[i] = Rounding.even(x[i], scale, -zero, 15 - zero) + zero;
    }
    Bytes.setNibbles(out, at + 3, codes, size);
  }

  @Override
  public void decode(MemorySegment in, long at, Block block) {
    block.scales[0] = Bytes.f16(in, at);
    block.zeros[0] = Bytes.u8(in, at + 2) - 8;
    Bytes.nibbles(in, at + 3, block.codes, block.size(), 8);
  }
}
