package dev.gatun.kernels.formats;

/**
 * The scale with the smallest squared error of a sub-block: steps of several sizes are tried, and
 * for the codes of each the best scale is solved for. Sums are in the order of the elements and in
 * floats.
 */
final class ScaleSearch {
  /** Its sum with a number has that number, rounded, in the low bits. */
  private static final float MAGIC = 0x1.8p23f;

  private ScaleSearch() {}

  /** What codes there are. */
  interface Codes {
    /** How many ends are tried. */
    int tries();

    /** What the largest element is to become. */
    float end(int t);

    /** What stands for a number of steps. */
    float nearest(float steps);
  }

  /**
   * Whole numbers.
   *
   * @param half they are from -half to half - 1
   */
  record Even(int half) implements Codes {
    @Override
    public int tries() {
      return 25;
    }

    /**
     * The largest code first: of equal errors the smallest scale leaves others the finest steps.
     */
    @Override
    public float end(int t) {
      return (-1.2f - half) + 0.1f * t;
    }

    @Override
    public float nearest(float steps) {
      float held = steps > -half ? steps : -half;
      held = held < half - 1 ? held : half - 1;
      return (held + MAGIC) - MAGIC;
    }
  }

  /**
   * The best scale of {@code x ~ scale * code}.
   *
   * @param weights of the squared errors of all of x
   */
  static float best(float[] x, float[] weights, int from, int size, Codes codes) {
    float extreme = 0;
    for (int i = from; i < from + size; i++) {
      extreme = Math.abs(x[i]) > Math.abs(extreme) ? x[i] : extreme;
    }
    if (extreme == 0) {
      return 0;
    }
    // In units of it no sum is too large or too small for a float.
    float bestXq = 0;
    float bestQq = 1;
    for (int t = 0; t < codes.tries(); t++) {
      float end = codes.end(t);
      float xq = 0;
      float qq = 0;
      for (int i = from; i < from + size; i++) {
        float y = x[i] / extreme;
        float q = codes.nearest(y * end);
        xq += weights[i] * y * q;
        qq += weights[i] * q * q;
      }
      // The error is less by xq * xq / qq.
      if (xq * xq * bestQq > bestXq * bestXq * qq) {
        bestXq = xq;
        bestQq = qq;
      }
    }
    return extreme * (bestXq / bestQq);
  }

  private static float error(
      float[] x, float[] weights, int from, int size, Codes codes, float scale) {
    float inverse = Rounding.inverse(scale);
    float error = 0;
    for (int i = from; i < from + size; i++) {
      float e = scale * codes.nearest(x[i] * inverse) - x[i];
      error += weights[i] * (e * e);
    }
    return error;
  }

  /**
   * The whole number near a sub-block's wanted scale that errs the least.
   *
   * @param scale of the whole numbers
   * @param most they are from -most to most - 1
   */
  static int refine(
      float[] x,
      float[] weights,
      int from,
      int size,
      Codes codes,
      float scale,
      float wanted,
      int most) {
    int near = Rounding.even(wanted, scale, -most, most - 1);
    int best = near;
    float smallest = Float.POSITIVE_INFINITY;
    for (int a = Math.max(-most, near - 2); a <= Math.min(most - 1, near + 2); a++) {
      float error = error(x, weights, from, size, codes, scale * a);
      if (error < smallest) {
        smallest = error;
        best = a;
      }
    }
    return best;
  }
}
