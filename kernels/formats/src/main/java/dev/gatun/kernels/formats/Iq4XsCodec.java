package dev.gatun.kernels.formats;

import java.lang.foreign.MemorySegment;

/**
 * GGML's IQ4_XS: 256 elements in eight sub-blocks of 32. F16 scale of the scales, the upper two
 * bits of those, which are 32 less, the low four, and codes of four bits of {@link UnevenSteps}.
 */
final class Iq4XsCodec implements BlockCodec {
  private static final int SUB = 32;
  private static final int SUBS = 8;
  private static final int MIDDLE = 32;
  private static final int UPPER = 2;
  private static final int LOW = 4;
  private static final int CODES = 8;

  @Override
  public void encode(float[] x, int size, MemorySegment out, long at) {
    encode(x, Rounding.ones(size), size, out, at);
  }

  @Override
  public void encode(float[] x, float[] weights, int size, MemorySegment out, long at) {
    float[] scales = new float[SUBS];
    for (int s = 0; s < SUBS; s++) {
      scales[s] = ScaleSearch.best(x, weights, s * SUB, SUB, UnevenSteps.CODES);
    }
    float scale = Bytes.setF16(out, at, Rounding.extreme(scales, SUBS) / -MIDDLE);
    int upper = 0;
    for (int s = 0; s < SUBS; s++) {
      int chosen =
          ScaleSearch.refine(x, weights, s * SUB, SUB, UnevenSteps.CODES, scale, scales[s], MIDDLE);
      int stored = chosen + MIDDLE;
      upper |= stored >> 4 << 2 * s;
      long place = at + LOW + s / 2;
      int other = s % 2 == 0 ? 0 : Bytes.u8(out, place);
      Bytes.setU8(out, place, other | (stored & 15) << s % 2 * 4);
      UnevenSteps.write(x, s * SUB, scale * chosen, out, at + CODES + s * SUB / 2);
    }
    Bytes.setI16(out, at + UPPER, upper);
  }

  @Override
  public void decode(MemorySegment in, long at, Block block) {
    block.scale = Bytes.f16(in, at);
    block.min = 0;
    int upper = Bytes.i16(in, at + UPPER);
    block.setGroup(SUB);
    for (int s = 0; s < SUBS; s++) {
      int low = Bytes.u8(in, at + LOW + s / 2) >> s % 2 * 4 & 15;
      block.setShared(s, (low | (upper >> 2 * s & 3) << 4) - MIDDLE, 0);
      UnevenSteps.read(in, at + CODES + s * SUB / 2, block.codes, s * SUB);
    }
  }
}
