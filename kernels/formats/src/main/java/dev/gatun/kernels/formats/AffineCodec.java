package dev.gatun.kernels.formats;

import java.lang.foreign.MemorySegment;

/** GGML's Q4_1 and Q5_1: F16 scale and minimum, for five bits the fifth ones, then the low four. */
final class AffineCodec implements BlockCodec {
  private final int bits;

  AffineCodec(int bits) {
    this.bits = bits;
  }

  @Override
  public void encode(float[] x, int size, MemorySegment out, long at) {
    float least = Float.POSITIVE_INFINITY;
    float most = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < size; i++) {
      least = Math.min(least, x[i]);
      most = Math.max(most, x[i]);
    }
    int steps = (1 << bits) - 1;
    float scale = (most - least) / steps;
    float inverse = Rounding.inverse(scale);
    Bytes.setF16(out, at, scale);
    Bytes.setF16(out, at + 2, least);
    int[] codes = new int[size];
    for (int i = 0; i < size; i++) {
      codes[i] = Math.min(steps, (int) ((x[i] - least) * inverse + 0.5f));
    }
    FifthBits.write(out, at + 4, codes, size, bits);
  }

  @Override
  public void encode(float[] x, float[] weights, int size, MemorySegment out, long at) {
    AffineSearch search = new AffineSearch(x, weights, 0, size, (1 << bits) - 1);
    float[] best = new float[2];
    search.best(best);
    float scale = Bytes.setF16(out, at, best[0]);
    float least = Bytes.setF16(out, at + 2, -best[1]);
    float[] found = search.codes(scale, -least);
    int[] codes = new int[size];
    for (int i = 0; i < size; i++) {
      codes[i] = (int) found[i];
    }
    FifthBits.write(out, at + 4, codes, size, bits);
  }

  @Override
  public void decode(MemorySegment in, long at, Block block) {
    block.scales[0] = Bytes.f16(in, at);
    block.mins[0] = Bytes.f16(in, at + 2);
    FifthBits.read(in, at + 4, block.codes, block.size(), bits, 0);
  }
}
