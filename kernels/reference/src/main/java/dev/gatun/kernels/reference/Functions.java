package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.elementwise.Activation;

/** Functions of one number and of a row. */
final class Functions {
  private final Precision p;

  Functions(Precision precision) {
    this.p = precision;
  }

  double activate(double x, Activation activation) {
    return switch (activation) {
      case NONE -> x;
      case RELU -> x < 0 ? 0 : x;
      case GELU -> half(x, erf(p.round(x / Math.sqrt(2))));
      case GELU_TANH -> {
        double cube = p.round(0.044715 * p.round(p.round(x * x) * x));
        yield half(x, Math.tanh(p.round(Math.sqrt(2 / Math.PI) * p.round(x + cube))));
      }
      case TANH -> p.round(Math.tanh(x));
      case SIGMOID -> sigmoid(x);
      case SILU -> p.round(x * sigmoid(x));
      case QUICK_GELU -> p.round(x * sigmoid(p.round(1.702 * x)));
    };
  }

  /** The derivative of an activation, at infinities its limit. */
  double slope(double x, Activation activation) {
    return switch (activation) {
      case NONE -> 1;
      case RELU -> x <= 0 ? 0 : 1;
      case GELU -> {
        double density = p.round(Math.exp(p.round(-0.5 * p.round(x * x))) / Math.sqrt(2 * Math.PI));
        double share = p.round(0.5 * p.round(1 + p.round(erf(p.round(x / Math.sqrt(2))))));
        yield p.round(share + part(x, density));
      }
      case GELU_TANH -> {
        double square = p.round(x * x);
        double t =
            p.round(
                Math.tanh(
                    p.round(
                        Math.sqrt(2 / Math.PI)
                            * p.round(x + p.round(0.044715 * p.round(square * x))))));
        double inner = p.round(Math.sqrt(2 / Math.PI) * p.round(1 + p.round(0.134145 * square)));
        double rest = p.round(1 - p.round(t * t));
        yield p.round(p.round(0.5 * p.round(1 + t)) + part(p.round(x * inner), 0.5 * rest));
      }
      case TANH -> {
        double t = p.round(Math.tanh(x));
        yield p.round(1 - p.round(t * t));
      }
      case SIGMOID -> slopeOfSigmoid(x);
      case SILU -> p.round(sigmoid(x) + part(x, slopeOfSigmoid(x)));
      case QUICK_GELU -> {
        double z = p.round(1.702 * x);
        yield p.round(sigmoid(z) + part(z, slopeOfSigmoid(z)));
      }
    };
  }

  /** x times what vanishes far out. */
  private double part(double x, double vanishing) {
    return vanishing == 0 ? 0 : p.round(x * vanishing);
  }

  private double slopeOfSigmoid(double x) {
    double s = sigmoid(x);
    return p.round(s * p.round(1 - s));
  }

  /** {@code 0.5 x (1 + y)}. */
  private double half(double x, double y) {
    return p.round(p.round(0.5 * x) * p.round(1 + p.round(y)));
  }

  private double sigmoid(double x) {
    return p.round(1 / p.round(1 + p.round(Math.exp(-x))));
  }

  static double erf(double x) {
    return Math.abs(x) < 2 ? series(x) : 1 - erfc(x);
  }

  /** The error function near 0. */
  private static double series(double x) {
    double term = x;
    double sum = x;
    for (int n = 1; Math.abs(term) > 1e-18 * Math.abs(sum); n++) {
      term *= 2 * x * x / (2 * n + 1);
      sum += term;
    }
    return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
  }

  /**
   * The complementary error function to about 1e-15: near 0 by Kummer's series {@code erf(x) = 2/√π
   * exp(-x²) Σ 2ⁿ x²ⁿ⁺¹ / (2n + 1)!!} (Abramowitz and Stegun 7.1.6), further out by the continued
   * fraction 7.1.14.
   */
  static double erfc(double x) {
    if (Double.isNaN(x)) {
      return x;
    }
    if (x < 0) {
      return 2 - erfc(-x);
    }
    if (x < 2) {
      return 1 - series(x);
    }
    double fraction = x;
    for (int n = 120; n > 0; n--) {
      fraction = x + n / 2.0 / fraction;
    }
    return Math.exp(-x * x) / (Math.sqrt(Math.PI) * fraction);
  }

  /** The largest element, NaN where there is one. */
  static double largest(double[] row) {
    double top = Double.NEGATIVE_INFINITY;
    for (double x : row) {
      top = Math.max(top, x);
    }
    return top;
  }

  /** {@code Σ exp(xᵢ - top)}. */
  double expSum(double[] row, double top) {
    double total = 0;
    for (int i = 0; i < row.length; i++) {
      double x = row[p.term(i, row.length)];
      total = p.round(total + p.round(Math.exp(p.round(x - top))));
    }
    return total;
  }

  /** {@code Σ aᵢ bᵢ}. */
  double dot(double[] a, double[] b) {
    double total = 0;
    for (int i = 0; i < a.length; i++) {
      int k = p.term(i, a.length);
      total = p.sum(total, a[k], b[k]);
    }
    return total;
  }
}
