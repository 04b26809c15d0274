package dev.gatun.kernels.formats;

import java.lang.foreign.MemorySegment;

/** GGML's Q4_0 and Q5_0: F16 scale, for five bits the fifth ones, then the low four. */
final class SymmetricCodec implements BlockCodec {
  private final int bits;

  SymmetricCodec(int bits) {
    this.bits = bits;
  }

  @Override
  public void encode(float[] x, int size, MemorySegment out, long at) {
    int half = 1 << bits - 1;
    float scale = Rounding.extreme(x, size) / -half;
    float inverse = Rounding.inverse(scale);
    Bytes.setF16(out, at, scale);
    int[] codes = new int[size];
    for (int i = 0; i < size; i++) {
      codes[i] = Math.min(2 * half - 1, (int) (x[i] * inverse + (half + 0.5f)));
    }
    FifthBits.write(out, at + 2, codes, size, bits);
  }

  @Override
  public void encode(float[] x, float[] weights, int size, MemorySegment out, long at) {
    int half = 1 << bits - 1;
    ScaleSearch.Even even = new ScaleSearch.Even(half);
    float scale = Bytes.setF16(out, at, ScaleSearch.best(x, weights, 0, size, even));
    float inverse = Rounding.inverse(scale);
    int[] codes = new int[size];
    for (int i = 0; i < size; i++) {
      codes[i] = (int) even.nearest(x[i] * inverse) + half;
    }
    FifthBits.write(out, at + 2, codes, size, bits);
  }

  @Override
  public void decode(MemorySegment in, long at, Block block) {
    block.scales[0] = Bytes.f16(in, at);
    FifthBits.read(in, at + 2, block.codes, block.size(), bits, 1 << bits - 1);
  }
}
