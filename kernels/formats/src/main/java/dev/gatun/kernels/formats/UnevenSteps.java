package dev.gatun.kernels.formats;

import java.lang.foreign.MemorySegment;

/**
 * The sixteen values that a code of four bits has in IQ4_NL and IQ4_XS: closer to each other near
 * 0, where most weights are.
 */
final class UnevenSteps {
  private static final int[] VALUES = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
  };
  private static final int TRIES = 24;

  private UnevenSteps() {}

  /** The number of the nearest value, the upper one of two. */
  static int code(float x, double scale) {
    if (scale == 0) {
      return 8;
    }
    double steps = x / scale;
    int code = 0;
    for (int i = 1; i < VALUES.length; i++) {
      code += steps >= (VALUES[i - 1] + VALUES[i]) * 0.5 ? 1 : 0;
    }
    return code;
  }

  /** The squared error with the best codes for a scale. */
  static double error(float[] x, int from, int size, double scale) {
    double error = 0;
    for (int i = from; i < from + size; i++) {
      double e = scale * VALUES[code(x[i], scale)] - x[i];
      error += e * e;
    }
    return error;
  }

  /**
   * The scale with the smallest squared error: the largest element becomes each end of the values,
   * and what lies near.
   */
  static float search(float[] x, int from, int size) {
    float extreme = 0;
    for (int i = from; i < from + size; i++) {
      extreme = Math.abs(x[i]) > Math.abs(extreme) ? x[i] : extreme;
    }
    if (extreme == 0) {
      return 0;
    }
    double best = extreme / (double) VALUES[0];
    double smallest = error(x, from, size, best);
    for (int t = 0; t < 2 * TRIES; t++) {
      double end = t % 2 == 0 ? VALUES[0] + 8 - t : VALUES[15] - 8 + t;
      double scale = extreme / end;
      double sxq = 0;
      double sqq = 0;
      for (int i = from; i < from + size; i++) {
        double value = VALUES[code(x[i], scale)];
        sxq += x[i] * value;
        sqq += value * value;
      }
      double solved = sxq / sqq;
      double error = error(x, from, size, solved);
      if (error < smallest) {
        smallest = error;
        best = solved;
      }
    }
    return (float) best;
  }

  /** Writes the codes of 32 elements: byte i has element i below element i + 16. */
  static void write(float[] x, int from, float scale, MemorySegment out, long at) {
    for (int i = 0; i < 16; i++) {
      Bytes.setU8(out, at + i, code(x[from + i], scale) | code(x[from + 16 + i], scale) << 4);
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
