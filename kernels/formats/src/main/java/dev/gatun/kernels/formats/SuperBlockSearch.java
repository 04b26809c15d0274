package dev.gatun.kernels.formats;

/**
 * Scales, minima and codes of a Q2_K, Q4_K or Q5_K block with a small squared error. What is best
 * for each sub-block alone is not best for all, whose scales and minima are whole multiples of two
 * numbers: several pairs of these are tried, each solved for again once there are codes.
 */
final class SuperBlockSearch {
  static final int SIZE = 256;

  private static final int ROUNDS = 2;

  private final Form form;
  private final float[] x;
  private final float[] weights;
  private final float scale;
  private final float min;
  private final int[] chosen;
  private final int[] codes = new int[SIZE];
  private double error;

  /**
   * What a format's blocks are made of.
   *
   * @param sub elements of a sub-block
   * @param most of a sub-block's scale and minimum as whole numbers
   * @param steps the largest code
   */
  record Form(int sub, int most, int steps) {
    int subs() {
      return SIZE / sub;
    }
  }

  /** The best found for 256 elements. */
  static SuperBlockSearch best(float[] x, float[] weights, Form form) {
    int subs = form.subs();
    float[] scales = new float[subs];
    float[] mins = new float[subs];
    SuperBlockSearch best = null;
    for (boolean searched : new boolean[] {true, false}) {
      for (int s = 0; s < subs; s++) {
        float[] found = new float[2];
        AffineSearch search = new AffineSearch(x, weights, s * form.sub, form.sub, form.steps);
        if (searched) {
          search.best(found);
        } else {
          search.range(found);
        }
        scales[s] = found[0];
        mins[s] = found[1];
      }
      SuperBlockSearch tried =
          new SuperBlockSearch(
              x,
              weights,
              form,
              Rounding.largest(scales, subs) / form.most,
              Rounding.largest(mins, subs) / form.most,
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
      float[] x, float[] weights, Form form, float scale, float min, float[] scales, float[] mins) {
    this.x = x;
    this.weights = weights;
    this.form = form;
    this.chosen = new int[2 * form.subs()];
    this.scale = Float.float16ToFloat(Float.floatToFloat16(scale));
    this.min = Float.float16ToFloat(Float.floatToFloat16(min));
    for (int s = 0; s < form.subs(); s++) {
      choose(s, scales[s], mins[s]);
    }
  }

  /** The whole numbers near a wanted scale and minimum that err the least. */
  private void choose(int sub, float wantedScale, float wantedMin) {
    int nearScale = Rounding.even(wantedScale, scale, 0, form.most);
    int nearMin = Rounding.even(wantedMin, min, 0, form.most);
    AffineSearch search = new AffineSearch(x, weights, sub * form.sub, form.sub, form.steps);
    float smallest = Float.POSITIVE_INFINITY;
    for (int a = Math.max(0, nearScale - 1); a <= Math.min(form.most, nearScale + 1); a++) {
      for (int b = Math.max(0, nearMin - 1); b <= Math.min(form.most, nearMin + 1); b++) {
        float e = search.error(scale * a, min * b);
        if (e < smallest) {
          smallest = e;
          chosen[sub] = a;
          chosen[form.subs() + sub] = b;
        }
      }
    }
    error += smallest;
    float[] best = search.codes(scale * chosen[sub], min * chosen[form.subs() + sub]);
    for (int i = 0; i < form.sub; i++) {
      codes[sub * form.sub + i] = (int) best[i];
    }
  }

  /** The same with the scale and the minimum of all that suit the codes best. */
  private SuperBlockSearch solved() {
    double pp = 0;
    double pm = 0;
    double mm = 0;
    double px = 0;
    double mx = 0;
    for (int s = 0; s < form.subs(); s++) {
      int a = chosen[s];
      int b = -chosen[form.subs() + s];
      float[] sums =
          new AffineSearch(x, weights, s * form.sub, form.sub, form.steps)
              .sums(scale * a, min * -b);
      pp += (double) a * a * sums[1];
      pm += (double) a * b * sums[0];
      mm += (double) b * b * sums[4];
      px += (double) a * sums[2];
      mx += (double) b * sums[3];
    }
    double determinant = pp * mm - pm * pm;
    double better = determinant > 0 ? (px * mm - mx * pm) / determinant : pp > 0 ? px / pp : scale;
    double betterMin = determinant > 0 ? (mx * pp - px * pm) / determinant : min;
    if (!(better > 0) || !(betterMin >= 0)) {
      return this;
    }
    float[] scales = new float[form.subs()];
    float[] mins = new float[form.subs()];
    for (int s = 0; s < form.subs(); s++) {
      scales[s] = scale * chosen[s];
      mins[s] = min * chosen[form.subs() + s];
    }
    return new SuperBlockSearch(x, weights, form, (float) better, (float) betterMin, scales, mins);
  }

  float scale() {
    return scale;
  }

  float min() {
    return min;
  }

  /** The sub-blocks' scales, then their minima. */
  int[] chosen() {
    return chosen;
  }

  int[] codes() {
    return codes;
  }
}
