package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.elementwise.UnaryOp;

/** Functions of mathematics in double, by {@link Math} and formulas in which nothing cancels. */
final class Mathematics {
  private Mathematics() {}

  static double apply(UnaryOp op, double x) {
    return switch (op) {
      case ABS -> Math.abs(x);
      case NEGATE -> -x;
      case SIGN -> x > 0 ? 1 : x < 0 ? -1 : 0;
      case SQUARE -> x * x;
      case RECIPROCAL -> 1 / x;
      case SQRT -> Math.sqrt(x);
      case RSQRT -> 1 / Math.sqrt(x);
      case CBRT -> Math.cbrt(x);
      case FLOOR -> Math.floor(x);
      case CEIL -> Math.ceil(x);
      case ROUND -> Math.rint(x);
      case TRUNC -> x < 0 ? Math.ceil(x) : Math.floor(x);
      case EXP -> Math.exp(x);
      case EXPM1 -> Math.expm1(x);
      case LOG -> Math.log(x);
      case LOG1P -> Math.log1p(x);
      case LOG2 -> Math.log(x) / Math.log(2);
      case LOG10 -> Math.log10(x);
      case SIN -> Math.sin(x);
      case COS -> Math.cos(x);
      case TAN -> Math.tan(x);
      case ASIN -> Math.asin(x);
      case ACOS -> Math.acos(x);
      case ATAN -> Math.atan(x);
      case SINH -> Math.sinh(x);
      case COSH -> Math.cosh(x);
      case ASINH -> asinh(x);
      case ACOSH -> x < 1 ? Double.NaN : Math.log1p(x - 1 + Math.sqrt((x - 1) * (x + 1)));
      case ATANH -> Math.copySign(0.5 * Math.log1p(2 * Math.abs(x) / (1 - Math.abs(x))), x);
      case ERF -> Functions.erf(x);
    };
  }

  /** Of whole numbers, modulo 2^64. */
  static long applyWhole(UnaryOp op, long x) {
    return switch (op) {
      case ABS -> Math.abs(x);
      case NEGATE -> -x;
      case SIGN -> Long.signum(x);
      case SQUARE -> x * x;
      default -> throw new IllegalStateException(op + " of whole numbers");
    };
  }

  /** The formula of Abramowitz and Stegun 4.6.20 less 1 within the logarithm. */
  private static double asinh(double x) {
    double a = Math.abs(x);
    double y = Double.isInfinite(a) ? a : Math.log1p(a + a * a / (1 + Math.sqrt(1 + a * a)));
    return Math.copySign(y, x);
  }
}
