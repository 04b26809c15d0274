package dev.gatun.kernels.formats;

import java.lang.foreign.MemorySegment;

/**
 * GGML's Q3_K: 256 elements in sixteen sub-blocks of 16. The third bits of the codes, the low two,
 * six bits a sub-block for its scale, which is 32 less, and the F16 scale of those.
 */
final class Q3KCodec implements BlockCodec {
  private static final int SIZE = 256;
  private static final int SUB = 16;
  private static final int SUBS = SIZE / SUB;
  private static final int HALF = 4;
  private static final ScaleSearch.Codes CODES = new ScaleSearch.Even(HALF);
  private static final int MIDDLE = 32;
  private static final int LOW = 32;
  private static final int SCALES = 96;
  private static final int SCALE = 108;

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
    float scale = Bytes.setF16(out, at + SCALE, Rounding.extreme(scales, SUBS) / -MIDDLE);
    out.asSlice(at, SCALE).fill((byte) 0);
    for (int s = 0; s < SUBS; s++) {
      int chosen = ScaleSearch.refine(x, weights, s * SUB, SUB, CODES, scale, scales[s], MIDDLE);
      or(out, at + SCALES + s % 8, (chosen + MIDDLE & 15) << s / 8 * 4);
      or(out, at + SCALES + 8 + s % 4, chosen + MIDDLE >> 4 << s / 4 * 2);
      float inverse = Rounding.inverse(scale * chosen);
      for (int i = s * SUB; i < (s + 1) * SUB; i++) {
        int code = (int) CODES.nearest(x[i] * inverse) + HALF;
        or(out, at + i % 32, code >> 2 << i / 32);
        or(out, at + LOW + Quarters.place(i), (code & 3) << Quarters.shift(i));
      }
    }
  }

  private static void or(MemorySegment out, long at, int bits) {
    Bytes.setU8(out, at, Bytes.u8(out, at) | bits);
  }

  @Override
  public void decode(MemorySegment in, long at, Block block) {
    block.scale = Bytes.f16(in, at + SCALE);
    block.min = 0;
    block.setGroup(SUB);
    for (int s = 0; s < SUBS; s++) {
      int low = Bytes.u8(in, at + SCALES + s % 8) >> s / 8 * 4 & 15;
      int upper = Bytes.u8(in, at + SCALES + 8 + s % 4) >> s / 4 * 2 & 3;
      block.setShared(s, (low | upper << 4) - MIDDLE, 0);
    }
    for (int i = 0; i < SIZE; i++) {
      int low = Bytes.u8(in, at + LOW + Quarters.place(i)) >> Quarters.shift(i) & 3;
      int third = Bytes.u8(in, at + i % 32) >> i / 32 & 1;
      block.codes[i] = (low | third << 2) - HALF;
    }
  }
}
