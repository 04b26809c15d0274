package dev.gatun.kernels.formats;

/**
 * The scale, and minimum, with the smallest squared error of a sub-block: steps of several sizes
 * are tried, and for the codes of each the best scale and minimum are solved for.
 */
final class ScaleSearch {
  private static final int TRIES = 24;
  private static final double[] MINS = {1, 0.75, 0.5};

  private ScaleSearch() {}

  /**
   * {@code x ~ scale * code - min} with codes of 0 to steps, and scale and min not negative.
   *
   * @param result receives scale and min
   */
  static void affine(float[] x, int from, int size, int steps, float[] result) {
    range(x, from, size, steps, result);
    float least = -result[1];
    float most = least + steps * result[0];
    if (most <= least) {
      return;
    }
    double smallest = affineError(x, from, size, steps, result[0], result[1]);
    for (int t = 0; t <= TRIES; t++) {
      // One large element leaves the others few codes, which need not begin at the smallest one.
      double min = -least * MINS[t % MINS.length];
      double scale = (most + min) / (steps - 1.2 + 2.4 * t / TRIES);
      for (int round = 0; round < 3; round++) {
        double sx = 0;
        double sq = 0;
        double sqq = 0;
        double sxq = 0;
        for (int i = 0; i < size; i++) {
          double v = x[from + i];
          double code = Math.clamp(Math.rint((v + min) / scale), 0, steps);
          sx += v;
          sq += code;
          sqq += code * code;
          sxq += v * code;
        }
        double determinant = size * sqq - sq * sq;
        if (determinant <= 0) {
          break;
        }
        scale = (size * sxq - sx * sq) / determinant;
        min = (sq * sxq - sqq * sx) / determinant;
        if (min < 0) {
          min = 0;
          scale = sxq / sqq;
        }
        if (!(scale > 0)) {
          break;
        }
        double error = affineError(x, from, size, steps, scale, min);
        if (error < smallest) {
          smallest = error;
          result[0] = (float) scale;
          result[1] = (float) min;
        }
      }
    }
  }

  /** The scale and minimum that the smallest and the largest element, and 0, ask for. */
  static void range(float[] x, int from, int size, int steps, float[] result) {
    float least = 0;
    float most = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < size; i++) {
      least = Math.min(least, x[from + i]);
      most = Math.max(most, x[from + i]);
    }
    result[0] = Math.max(0, most - least) / steps;
    result[1] = -least;
  }

  /** The squared error with the best codes for a scale and a minimum. */
  static double affineError(float[] x, int from, int size, int steps, double scale, double min) {
    double error = 0;
    for (int i = 0; i < size; i++) {
      double e = scale * affineCode(x[from + i], steps, scale, min) - min - x[from + i];
      error += e * e;
    }
    return error;
  }

  static int affineCode(float x, int steps, double scale, double min) {
    return scale == 0 ? 0 : (int) Math.clamp(Math.rint((x + min) / scale), 0, steps);
  }

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
