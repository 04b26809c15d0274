package dev.gatun.kernels.formats;

/**
 * The scale with the smallest squared error of a sub-block: steps of several sizes are tried, and
 * for the codes of each the best scale is solved for.
 */
final class ScaleSearch {
  private static final int TRIES = 24;

  private ScaleSearch() {}

  /** The best scale of {@code x ~ scale * code} with codes of -half to half - 1. */
  static float symmetric(float[] x, int from, int size, int half) {
    float extreme = 0;
    for (int i = 0; i < size; i++) {
      if (Math.abs(x[from + i]) > Math.abs(extreme)) {
        extreme = x[from + i];
      }
    }
    if (extreme == 0) {
      return 0;
    }
    double best = extreme / (double) -half;
    double smallest = symmetricError(x, from, size, half, best);
    for (int t = 0; t <= TRIES; t++) {
      double scale = extreme / (-half + 1.2 - 2.4 * t / TRIES);
      double sxq = 0;
      double sqq = 0;
      for (int i = 0; i < size; i++) {
        double code = symmetricCode(x[from + i], half, scale);
        sxq += x[from + i] * code;
        sqq += code * code;
      }
      if (sqq > 0) {
        double solved = sxq / sqq;
        double error = symmetricError(x, from, size, half, solved);
        if (error < smallest) {
          smallest = error;
          best = solved;
        }
      }
    }
    return (float) best;
  }

  static double symmetricError(float[] x, int from, int size, int half, double scale) {
    double error = 0;
    for (int i = 0; i < size; i++) {
      double e = scale * symmetricCode(x[from + i], half, scale) - x[from + i];
      error += e * e;
    }
    return error;
  }

  static int symmetricCode(float x, int half, double scale) {
    return scale == 0 ? 0 : (int) Math.clamp(Math.rint(x / scale), -half, half - 1);
  }

  /**
   * The whole number near a sub-block's wanted scale that errs the least.
   *
   * @param scale of the whole numbers
   * @param most they are from -most to most - 1
   */
  static int refine(float[] x, int from, int size, int half, float scale, float wanted, int most) {
    int near = Rounding.even(wanted, scale, -most, most - 1);
    int best = near;
    double smallest = Double.POSITIVE_INFINITY;
    for (int a = Math.max(-most, near - 2); a <= Math.min(most - 1, near + 2); a++) {
      double error = symmetricError(x, from, size, half, scale * a);
      if (error < smallest) {
        smallest = error;
        best = a;
      }
    }
    return best;
  }
}
