package dev.gatun.kernels.formats;

import java.lang.foreign.MemorySegment;

/**
 * MXFP4 as GGML has it: 32 elements, a byte with the scale's exponent, then elements of four bits,
 * byte i with element i below element i + 16. Codes are twice the elements' values, which are whole
 * numbers then, and scales half of what the format says.
 */
final class Mxfp4Codec implements BlockCodec {
  private static final int[] VALUES = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};

  /** The exponent that the format keeps for what is not a number. */
  private static final int NAN = 255;

  @Override
  public void encode(float[] x, int size, MemorySegment out, long at) {
    int exponent = Float.floatToRawIntBits(Rounding.largest(x, size)) >> 23;
    // The largest element is between 4 and 8, of which 6 is the largest there is.
    int stored = Math.max(0, exponent - 2);
    float scale = halfScale(stored);
    Bytes.setU8(out, at, stored);
    for (int i = 0; i < 16; i++) {
      Bytes.setU8(out, at + 1 + i, code(x[i], scale) | code(x[16 + i], scale) << 4);
    }
  }

  /** The nearest element, the smaller one of two. */
  private static int code(float x, float scale) {
    float size = Math.abs(x);
    int code = 0;
    for (int i = 1; i < 8; i++) {
      code += Math.abs(VALUES[i] * scale - size) < Math.abs(VALUES[i - 1] * scale - size) ? 1 : 0;
    }
    return x < 0 && code > 0 ? code + 8 : code;
  }

  private static float halfScale(int exponent) {
    if (exponent == NAN) {
      return Float.NaN;
    }
    return Float.intBitsToFloat(exponent < 2 ? 0x00200000 << exponent : exponent - 1 << 23);
  }

  @Override
  public void decode(MemorySegment in, long at, Block block) {
    block.scales[0] = halfScale(Bytes.u8(in, at));
    for (int i = 0; i < 16; i++) {
      int both = Bytes.u8(in, at + 1 + i);
      block.codes[i] = VALUES[both & 15];
      block.codes[16 + i] = VALUES[both >> 4];
    }
  }
}
