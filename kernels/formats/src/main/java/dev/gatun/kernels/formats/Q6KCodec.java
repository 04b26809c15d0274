package dev.gatun.kernels.formats;

import java.lang.foreign.MemorySegment;

/**
 * GGML's Q6_K: 256 elements in sixteen sub-blocks of 16. The low four bits of the codes, the upper
 * two, a signed byte a sub-block for its scale, and the F16 scale of those.
 */
final class Q6KCodec implements BlockCodec {
  private static final int SIZE = 256;
  private static final int SUB = 16;
  private static final int SUBS = SIZE / SUB;
  private static final int HALF = 32;
  private static final ScaleSearch.Codes CODES = new ScaleSearch.Even(HALF);
  private static final int UPPER = 128;
  private static final int SCALES = 192;
  private static final int SCALE = 208;

  @Override
  public void encode(float[] x, int size, MemorySegment out, long at) {
    encode(x, Rounding.ones(size), size, out, at);
  }

  @Override
  public void encode(float[] x, float[] weights, int size, MemorySegment out, long at) {
    float[] scales = new float[SUBS];
    for (int s = 0; s < SUBS; s++) {
      scales[s] = ScaleSearch.best(x, weights, s * SUB, SUB, CODES);
    }
    float scale = Bytes.setF16(out, at + SCALE, Rounding.extreme(scales, SUBS) / -128);
    out.asSlice(at, SCALES).fill((byte) 0);
    for (int s = 0; s < SUBS; s++) {
      int chosen = ScaleSearch.refine(x, weights, s * SUB, SUB, CODES, scale, scales[s], 128);
      Bytes.setU8(out, at + SCALES + s, chosen);
      float inverse = Rounding.inverse(scale * chosen);
      for (int i = s * SUB; i < (s + 1) * SUB; i++) {
        int code = (int) CODES.nearest(x[i] * inverse) + HALF;
        long low = at + low(i);
        long upper = at + UPPER + Quarters.place(i);
        Bytes.setU8(out, low, Bytes.u8(out, low) | (code & 15) << lowShift(i));
        Bytes.setU8(out, upper, Bytes.u8(out, upper) | code >> 4 << Quarters.shift(i));
      }
    }
  }

  // Of each 128 elements the first 64 are the low halves of 64 bytes, the others the high halves.
  private static int low(int i) {
    return i / 128 * 64 + i % 64;
  }

  private static int lowShift(int i) {
    return i % 128 / 64 * 4;
  }

  @Override
  public void decode(MemorySegment in, long at, Block block) {
    block.scale = Bytes.f16(in, at + SCALE);
    block.min = 0;
    block.setGroup(SUB);
    for (int s = 0; s < SUBS; s++) {
      block.setShared(s, Bytes.i8(in, at + SCALES + s), 0);
    }
    for (int i = 0; i < SIZE; i++) {
      int low = Bytes.u8(in, at + low(i)) >> lowShift(i) & 15;
      int upper = Bytes.u8(in, at + UPPER + Quarters.place(i)) >> Quarters.shift(i) & 3;
      block.codes[i] = (low | upper << 4) - HALF;
    }
  }
}
