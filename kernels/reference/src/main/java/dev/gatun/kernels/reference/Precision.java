package dev.gatun.kernels.reference;

/**
 * What every intermediate result of a reference kernel is rounded to, and the order of its sums.
 *
 * @param results what the result of one operation on numbers becomes
 * @param tensors what an element of a tensor between two kernels of the plain computation becomes
 * @param stride which terms a sum takes one after another: every stride-th from the first on, then
 *     those from the second on, and so forth; -1 takes all from the last to the first
 * @param fused whether a product that is added to a sum is not rounded by itself, as processors'
 *     fused multiply-add has it
 * @param seed of random rounding, {@link #withRandomRounding}; 0 rounds to nearest
 */
public record Precision(Rounding results, Rounding tensors, int stride, boolean fused, long seed) {
  /** Double precision throughout: the oracle. */
  public static final Precision F64 = new Precision(Rounding.NONE, Rounding.NONE, 1, false, 0);

  /**
   * Single precision after every operation: the plain computation whose error a kernel's is
   * measured by.
   */
  public static final Precision F32 = new Precision(Rounding.F32, Rounding.F32, 1, false, 0);

  /** Sums in single precision, and bf16 for every tensor between two operations. */
  public static final Precision BF16 = new Precision(Rounding.F32, Rounding.BF16, 1, false, 0);

  /** Sums in single precision, and f16 for every tensor between two operations. */
  public static final Precision F16 = new Precision(Rounding.F32, Rounding.F16, 1, false, 0);

  /**
   * @throws IllegalArgumentException if the stride is neither -1 nor positive
   */
  public Precision {
    if (stride < -1 || stride == 0) {
      throw new IllegalArgumentException("stride " + stride + ", expected -1 or at least 1");
    }
  }

  /** The same with another order of sums. */
  public Precision withStride(int other) {
    return new Precision(results, tensors, other, fused, seed);
  }

  /** The same by fused multiply-adds. */
  public Precision withFusedSums() {
    return new Precision(results, tensors, stride, true, seed);
  }

  /**
   * The same where each number that is no float becomes the float above it or the one below it,
   * each as often: what differs between two such runs is what roundings do to a result (Parker,
   * <i>Monte Carlo Arithmetic</i>, 1997).
   *
   * @param other not 0; the same gives the same results
   * @throws IllegalStateException if results and tensors are not of single precision
   */
  public Precision withRandomRounding(long other) {
    if (results != Rounding.F32 || tensors != Rounding.F32) {
      throw new IllegalStateException("random rounding of " + this + ", expected one to F32");
    }
    return new Precision(results, tensors, stride, fused, other);
  }

  double round(double x) {
    return rounded(results, x);
  }

  double store(double x) {
    return rounded(tensors, x);
  }

  private double rounded(Rounding to, double x) {
    double nearest = to.of(x);
    if (seed == 0 || nearest == x || !Double.isFinite(nearest)) {
      return nearest;
    }
    float near = (float) nearest;
    // A multiplication mixes the number's bits to the upper ones, of which the sign decides.
    long mixed = (Double.doubleToRawLongBits(x) ^ seed) * 0x9e3779b97f4a7c15L;
    mixed = (mixed ^ mixed >>> 32) * 0xbf58476d1ce4e5b9L;
    return mixed < 0 ? near : nearest < x ? Math.nextUp(near) : Math.nextDown(near);
  }

  /** {@code sum + a b}. */
  double sum(double sum, double a, double b) {
    return round(sum + (fused ? a * b : round(a * b)));
  }

  /** The index of the i-th term to sum. */
  int term(int i, int count) {
    if (stride == 1) {
      return i;
    }
    if (stride == -1) {
      return count - 1 - i;
    }
    int length = count / stride;
    int longer = count % stride;
    int ofLonger = longer * (length + 1);
    return i < ofLonger
        ? i % (length + 1) * stride + i / (length + 1)
        : (i - ofLonger) % length * stride + longer + (i - ofLonger) / length;
  }
}
