package dev.gatun.kernels.formats;

import java.lang.foreign.MemorySegment;

/** {@code INT8}: {@code scale = max|x| / 127}, codes rounded to nearest even. */
final class Int8Codec implements BlockCodec {
  @Override
  public void encode(float[] x, int size, MemorySegment out, long at) {
    float most = Rounding.largest(x, size);
    float scale = most / 127;
    Bytes.setF32(out, at, scale);
    for (int i = 0; i < size; i++) {
      Bytes.setU8(out, at + 4 + i, Rounding.even(x[i], scale, -127, 127));
    }
  }

  @Override
  public void decode(MemorySegment in, long at, Block block) {
    block.scales[0] = Bytes.f32(in, at);
    for (int i = 0; i < block.size(); i++) {
      block.codes[i] = Bytes.i8(in, at + 4 + i);
    }
  }
}
