package dev.gatun.kernels.formats;

import java.lang.foreign.MemorySegment;

/**
 * The sixteen values that a code of four bits has in IQ4_NL and IQ4_XS: closer to each other near
 * 0, where most weights are.
 */
final class UnevenSteps implements ScaleSearch.Codes {
  static final UnevenSteps CODES = new UnevenSteps();

  private static final int[] VALUES = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
  };

  private UnevenSteps() {}

  /** The number of the nearest value, the upper one of two. */
  private static int code(float steps) {
    int code = 0;
    for (int i = 1; i < VALUES.length; i++) {
      code += steps >= (VALUES[i - 1] + VALUES[i]) * 0.5f ? 1 : 0;
    }
    return code;
  }

  @Override
  public int tries() {
    return 48;
  }

  /** The largest element becomes each end of the values, and what lies near. */
  @Override
  public float end(int t) {
    return t % 2 == 0 ? VALUES[0] + 8 - t : VALUES[15] - 8 + t;
  }

  @Override
  public float nearest(float steps) {
    return VALUES[code(steps)];
  }

  /** Writes the codes of 32 elements: byte i has element i below element i + 16. */
  static void write(float[] x, int from, float scale, MemorySegment out, long at) {
    float inverse = Rounding.inverse(scale);
    for (int i = 0; i < 16; i++) {
      int low = code(x[from + i] * inverse);
      Bytes.setU8(out, at + i, low | code(x[from + 16 + i] * inverse) << 4);
    }
  }

  /** Reads the values of what {@link #write} writes. */
  static void read(MemorySegment in, long at, int[] values, int from) {
    for (int i = 0; i < 16; i++) {
      int both = Bytes.u8(in, at + i);
      values[from + i] = VALUES[both & 15];
      values[from + 16 + i] = VALUES[both >> 4];
    }
  }
}
