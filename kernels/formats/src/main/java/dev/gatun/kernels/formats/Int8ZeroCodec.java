package dev.gatun.kernels.formats;

import java.lang.foreign.MemorySegment;

/** {@code INT8_ZERO}: the range of the elements, widened to hold 0, in 255 steps; 0 is a code. */
final class Int8ZeroCodec implements BlockCodec {
  @Override
  public void encode(float[] x, int size, MemorySegment out, long at) {
    float least = 0;
    float most = 0;
    for (int i = 0; i < size; i++) {
      least = Math.min(least, x[i]);
      most = Math.max(most, x[i]);
    }
    float scale = most / 255 - least / 255;
    int zero = Rounding.even(-least, scale, 0, 255);
    Bytes.setF32(out, at, scale);
    Bytes.setI16(out, at + 4, zero);
    for (int i = 0; i < size; i++) {
      Bytes.setU8(out, at + 6 + i, Rounding.even(x[i], scale, -zero, 255 - zero) + zero);
    }
  }

  @Override
  public void decode(MemorySegment in, long at, Block block) {
    block.scales[0] = Bytes.f32(in, at);
    block.zeros[0] = Bytes.i16(in, at + 4) - 128;
    for (int i = 0; i < block.size(); i++) {
      block.codes[i] = Bytes.u8(in, at + 6 + i) - 128;
    }
  }
}
