package dev.gatun.kernels.formats;

/**
 * The scale and minimum with the smallest squared error of a sub-block, {@code x ~ scale * code -
 * min} with codes of 0 to steps: steps of several sizes are tried, and for the codes of each the
 * best scale and minimum are solved for. Sums are in the order of the elements and in floats.
 */
final class AffineSearch {
  private static final int TIMES = 12;
  private static final int ROUNDS = 2;

  /** Its sum with a number has that number, rounded, in the low bits. */
  private static final float MAGIC = 0x1.8p23f;

  /** Squares of less would be 0. */
  private static final float LEAST_RANGE = 1e-18f;

  private static final float[] MINS = {1, 0.75f, 0.5f};

  private final float[] x;
  private final float[] weights;
  private final int from;
  private final int size;
  private final int steps;
  private final float[] codes;

  /**
   * @param weights of the squared errors of all of x
   */
  AffineSearch(float[] x, float[] weights, int from, int size, int steps) {
    this.x = x;
    this.weights = weights;
    this.from = from;
    this.size = size;
    this.steps = steps;
    this.codes = new float[size];
  }

  /** The codes for a scale and a minimum, to nearest even; 0 of a scale of 0. */
  float[] codes(float scale, float min) {
    float inverse = scale == 0 ? 0 : 1 / scale;
    for (int i = 0; i < size; i++) {
      float code = (x[from + i] + min) * inverse;
      code = code > 0 ? code : 0;
      code = code < steps ? code : steps;
      codes[i] = (code + MAGIC) - MAGIC;
    }
    return codes;
  }

  /** The squared error with the best codes for a scale and a minimum. */
  float error(float scale, float min) {
    codes(scale, min);
    return errorOfCodes(scale, min);
  }

  private float errorOfCodes(float scale, float min) {
    float sum = 0;
    for (int i = 0; i < size; i++) {
      float e = scale * codes[i] - min - x[from + i];
      sum += weights[from + i] * (e * e);
    }
    return sum;
  }

  /**
   * Weighted sums of codes, of their squares, of their products with the elements, of the elements,
   * and of ones.
   */
  float[] sums(float scale, float min) {
    codes(scale, min);
    float[] sums = new float[5];
    for (int i = 0; i < size; i++) {
      float w = weights[from + i];
      float q = w * codes[i];
      float y = w * x[from + i];
      sums[0] += q;
      sums[1] += q * codes[i];
      sums[2] += y * codes[i];
      sums[3] += y;
      sums[4] += w;
    }
    return sums;
  }

  /**
   * The scale and minimum that the smallest and the largest element, and 0, ask for.
   *
   * @param result receives them
   */
  void range(float[] result) {
    float least = 0;
    float most = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < size; i++) {
      least = Math.min(least, x[from + i]);
      most = Math.max(most, x[from + i]);
    }
    result[0] = Math.max(0, most - least) / steps;
    result[1] = -least;
  }

  /**
   * The best ones, neither negative.
   *
   * @param result receives scale and min
   */
  void best(float[] result) {
    range(result);
    float least = -result[1];
    float most = least + steps * result[0];
    if (!(most - least >= LEAST_RANGE)) {
      return;
    }
    float smallest = error(result[0], result[1]);
    for (int t = 0; t <= TIMES; t++) {
      // One large element leaves the others few codes, which need not begin at the smallest one.
      float min = -least * MINS[t % MINS.length];
      float scale = (most + min) / (steps - 1.2f + 0.2f * t);
      for (int round = 0; round < ROUNDS; round++) {
        float[] sums = sums(scale, min);
        float sq = sums[0];
        float sqq = sums[1];
        float sxq = sums[2];
        float sx = sums[3];
        float all = sums[4];
        float determinant = all * sqq - sq * sq;
        scale = (all * sxq - sx * sq) / determinant;
        min = (sq * sxq - sqq * sx) / determinant;
        if (min < 0) {
          min = 0;
          scale = sxq / sqq;
        }
        if (!(determinant > 0) || !(scale > 0)) {
          break;
        }
        float error = errorOfCodes(scale, min);
        if (error < smallest) {
          smallest = error;
          result[0] = scale;
          result[1] = min;
        }
      }
    }
  }
}
