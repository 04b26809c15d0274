package dev.gatun.kernels.formats;

/**
 * Scales, minima and codes of a Q4_K or Q5_K block with a small squared error. What is best for
 * each sub-block alone is not best for all, whose scales and minima are whole multiples of two
 * numbers: several pairs of these are tried, each solved for again once there are codes.
 */
final class SuperBlockSearch {
  static final int SIZE = 256;
  static final int SUB = 32;
  static final int SUBS = SIZE / SUB;
  static final int MOST = 63;

  private static final int ROUNDS = 2;

  private final float[] x;
  private final int steps;
  private final float scale;
  private final float min;
  private final int[] sixBits = new int[2 * SUBS];
  private final int[] codes = new int[SIZE];
  private double error;

  /** The best found for 256 elements with codes of 0 to steps. */
  static SuperBlockSearch best(float[] x, int steps) {
    float[] scales = new float[SUBS];
    float[] mins = new float[SUBS];
    SuperBlockSearch best = null;
    for (boolean searched : new boolean[] {true, false}) {
      for (int s = 0; s < SUBS; s++) {
        float[] found = new float[2];
        if (searched) {
          ScaleSearch.affine(x, s * SUB, SUB, steps, found);
        } else {
          ScaleSearch.range(x, s * SUB, SUB, steps, found);
        }
        scales[s] = found[0];
        mins[s] = found[1];
      }
      SuperBlockSearch tried =
          new SuperBlockSearch(
              x,
              steps,
              Rounding.largest(scales, SUBS) / MOST,
              Rounding.largest(mins, SUBS) / MOST,
              scales,
              mins);
      for (int round = 0; round < ROUNDS; round++) {
        best = best == null || tried.error < best.error ? tried : best;
        tried = tried.solved();
      }
      best = tried.error < best.error ? tried : best;
    }
    return best;
  }

  private SuperBlockSearch(
      float[] x, int steps, float scale, float min, float[] scales, float[] mins) {
    this.x = x;
    this.steps = steps;
    this.scale = Float.float16ToFloat(Float.floatToFloat16(scale));
    this.min = Float.float16ToFloat(Float.floatToFloat16(min));
    for (int s = 0; s < SUBS; s++) {
      choose(s, scales[s], mins[s]);
    }
  }

  /** The whole numbers near a wanted scale and minimum that err the least. */
  private void choose(int sub, float wantedScale, float wantedMin) {
    int nearScale = Rounding.even(wantedScale, scale, 0, MOST);
    int nearMin = Rounding.even(wantedMin, min, 0, MOST);
    double smallest = Double.POSITIVE_INFINITY;
    for (int a = Math.max(0, nearScale - 1); a <= Math.min(MOST, nearScale + 1); a++) {
      for (int b = Math.max(0, nearMin - 1); b <= Math.min(MOST, nearMin + 1); b++) {
        double e = ScaleSearch.affineError(x, sub * SUB, SUB, steps, scale * a, min * b);
        if (e < smallest) {
          smallest = e;
          sixBits[sub] = a;
          sixBits[SUBS + sub] = b;
        }
      }
    }
    error += smallest;
    for (int i = sub * SUB; i < (sub + 1) * SUB; i++) {
      codes[i] =
          ScaleSearch.affineCode(x[i], steps, scale * sixBits[sub], min * sixBits[SUBS + sub]);
    }
  }

  /** The same with the scale and the minimum of all that suit the codes best. */
  private SuperBlockSearch solved() {
    double pp = 0;
    double pm = 0;
    double mm = 0;
    double px = 0;
    double mx = 0;
    for (int i = 0; i < SIZE; i++) {
      double p = (double) sixBits[i / SUB] * codes[i];
      double m = -sixBits[SUBS + i / SUB];
      pp += p * p;
      pm += p * m;
      mm += m * m;
      px += p * x[i];
      mx += m * x[i];
    }
    double determinant = pp * mm - pm * pm;
    double better = determinant > 0 ? (px * mm - mx * pm) / determinant : pp > 0 ? px / pp : scale;
    double betterMin = determinant > 0 ? (mx * pp - px * pm) / determinant : min;
    if (!(better > 0) || !(betterMin >= 0)) {
      return this;
    }
    float[] scales = new float[SUBS];
    float[] mins = new float[SUBS];
    for (int s = 0; s < SUBS; s++) {
      scales[s] = scale * sixBits[s];
      mins[s] = min * sixBits[SUBS + s];
    }
    return new SuperBlockSearch(x, steps, (float) better, (float) betterMin, scales, mins);
  }

  float scale() {
    return scale;
  }

  float min() {
    return min;
  }

  /** The sub-blocks' scales, then their minima. */
  int[] sixBits() {
    return sixBits;
  }

  int[] codes() {
    return codes;
  }
}
