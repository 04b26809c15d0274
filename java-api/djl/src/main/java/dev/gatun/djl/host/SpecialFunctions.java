package dev.gatun.djl.host;

/** Functions of mathematics that {@link Math} lacks. */
public final class SpecialFunctions {
  private static final double TWO_OVER_ROOT_PI = 2 / Math.sqrt(Math.PI);

  // Lanczos' approximation with g = 7 and nine terms (Godfrey's coefficients).
  private static final double[] LANCZOS = {
    0.99999999999980993,
    676.5203681218851,
    -1259.1392167224028,
    771.32342877765313,
    -176.61502916214059,
    12.507343278686905,
    -0.13857109526572012,
    9.9843695780195716e-6,
    1.5056327351493116e-7
  };

  private SpecialFunctions() {}

  /** The error function, by DLMF 7.6.2, whose terms have one sign. */
  static double erf(double x) {
    double magnitude = Math.abs(x);
    if (!(magnitude < 6)) {
      return Double.isNaN(x) ? x : Math.signum(x);
    }
    double square = 2 * x * x;
    double term = x;
    double sum = x;
    for (int n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) {
      term *= square / (2 * n + 1);
      sum += term;
    }
    return TWO_OVER_ROOT_PI * Math.exp(-x * x) * sum;
  }

  /** The inverse of {@link #erf}: Winitzki's approximation, then Newton's steps. */
  static double erfinv(double y) {
    if (!(Math.abs(y) < 1)) {
      return Math.abs(y) == 1 ? y / 0.0 : Double.NaN;
    }
    if (y == 0) {
      return y;
    }
    double a = 0.147;
    double log = Math.log1p(-y * y);
    double half = 2 / (Math.PI * a) + log / 2;
    double x = Math.copySign(Math.sqrt(Math.sqrt(half * half - log / a) - half), y);
    for (int step = 0; step < 4; step++) {
      double slope = TWO_OVER_ROOT_PI * Math.exp(-x * x);
      double error = (erf(x) - y) / slope;
      // Halley's step: the second derivative is -2x times the first.
      x -= error / (1 + x * error);
    }
    return x;
  }

  /** The logarithm of the absolute value of the gamma function. */
  static double gammaln(double x) {
    if (Double.isInfinite(x)) {
      return Double.POSITIVE_INFINITY;
    }
    if (x <= 0 && x == Math.floor(x)) {
      return Double.POSITIVE_INFINITY;
    }
    if (x < 0.5) {
      return Math.log(Math.PI / Math.abs(Math.sin(Math.PI * x))) - gammaln(1 - x);
    }
    if (x == 1 || x == 2) {
      return 0;
    }
    double at = x - 1;
    double sum = LANCZOS[0];
    for (int i = 1; i < LANCZOS.length; i++) {
      sum += LANCZOS[i] / (at + i);
    }
    double t = at + 7.5;
    return 0.5 * Math.log(2 * Math.PI) + (at + 0.5) * Math.log(t) - t + Math.log(sum);
  }

  /** The logarithm to the base of 2, a whole number where it is one. */
  static double log2(double x) {
    int exponent = Math.getExponent(x);
    if (!(x >= Double.MIN_NORMAL) || exponent > Double.MAX_EXPONENT) {
      return Math.log(x) / Math.log(2);
    }
    double fraction = x / Math.scalb(1.0, exponent);
    // Nearer to the next power of two its logarithm is small, and so is what is rounded away.
    boolean high = fraction > Math.sqrt(2);
    double log = Math.log(high ? fraction / 2 : fraction) / Math.log(2);
    return log + (high ? exponent + 1 : exponent);
  }

  static double asinh(double x) {
    double magnitude = Math.abs(x);
    if (Double.isInfinite(magnitude)) {
      return x;
    }
    double y =
        Math.log1p(magnitude + magnitude * magnitude / (1 + Math.sqrt(1 + magnitude * magnitude)));
    return Math.copySign(y, x);
  }

  static double acosh(double x) {
    return x < 1 ? Double.NaN : Math.log1p(x - 1 + Math.sqrt((x - 1) * (x + 1)));
  }

  static double atanh(double x) {
    return 0.5 * (Math.log1p(x) - Math.log1p(-x));
  }

  /** The logistic function. */
  public static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  static double softplus(double x) {
    // PyTorch's threshold, above which it is the identity.
    return x > 20 ? x : Math.log1p(Math.exp(x));
  }

  static double gelu(double x) {
    return 0.5 * x * (1 + erf(x * Math.sqrt(0.5)));
  }

  /** The derivative of {@link #gelu}. */
  public static double geluSlope(double x) {
    double density = Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI);
    return 0.5 * (1 + erf(x * Math.sqrt(0.5))) + x * density;
  }

  /** The derivative of {@link #selu}. */
  public static double seluSlope(double x) {
    double alpha = 1.6732632423543772;
    return 1.0507009873554805 * (x > 0 ? 1 : alpha * Math.exp(x));
  }

  /** The derivative of {@link #gammaln}, by DLMF 5.5.2, 5.5.4 and 5.11.2. */
  public static double digamma(double x) {
    if (x == 0) {
      return Math.copySign(Double.POSITIVE_INFINITY, -x);
    }
    if (x < 0) {
      return x == Math.floor(x) ? Double.NaN : digamma(1 - x) - Math.PI / Math.tan(Math.PI * x);
    }
    double shifted = x;
    double sum = 0;
    while (shifted < 12) {
      sum -= 1 / shifted++;
    }
    double square = 1 / (shifted * shifted);
    double series =
        square
            * (1.0 / 12
                - square
                    * (1.0 / 120
                        - square * (1.0 / 252 - square * (1.0 / 240 - square * (1.0 / 132)))));
    return sum + Math.log(shifted) - 0.5 / shifted - series;
  }

  static double selu(double x) {
    double alpha = 1.6732632423543772;
    return 1.0507009873554805 * (x > 0 ? x : alpha * Math.expm1(x));
  }
}
