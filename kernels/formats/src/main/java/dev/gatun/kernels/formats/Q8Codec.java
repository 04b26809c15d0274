package dev.gatun.kernels.formats;

import java.lang.foreign.MemorySegment;

/** GGML's Q8_0: F16 scale, then signed bytes; ties are rounded away from 0. */
final class Q8Codec implements BlockCodec {
  @Override
  public void encode(float[] x, int size, MemorySegment out, long at) {
    float scale = Rounding.largest(x, size) / 127;
    float inverse = Rounding.inverse(scale);
    Bytes.setF16(out, at, scale);
    for (int i = 0; i < size; i++) {
      float steps = x[i] * inverse;
      // The sum is exact in double: a float next to 0.5 does not become 1.
      double away = Math.floor(Math.abs((double) steps) + 0.5);
      Bytes.setU8(out, at + 2 + i, (int) Math.copySign(away, steps));
    }
  }

  @Override
  public void decode(MemorySegment in, long at, Block block) {
    block.scales[0] = Bytes.f16(in, at);
    for (int i = 0; i < block.size(); i++) {
      block.codes[i] = Bytes.i8(in, at + 2 + i);
    }
  }
}
