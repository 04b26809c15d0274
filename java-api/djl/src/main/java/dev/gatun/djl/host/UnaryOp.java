package dev.gatun.djl.host;

import java.util.function.DoubleUnaryOperator;
import java.util.function.LongUnaryOperator;

/** What is made of each element by itself. */
public enum UnaryOp {
  /** |x|. */
  ABS,
  /** -x. */
  NEG,
  /** -1, 0 or 1. */
  SIGN,
  /** x². */
  SQUARE,
  /** The whole number below. */
  FLOOR,
  /** The whole number above. */
  CEIL,
  /** The nearest whole number, the even one of two. */
  ROUND,
  /** The whole number towards 0. */
  TRUNC,
  /** The larger of x and 0. */
  RELU,
  /** √x. */
  SQRT,
  /** x^(1/3). */
  CBRT,
  /** eˣ. */
  EXP,
  /** The natural logarithm. */
  LOG,
  /** The logarithm to the base of 10. */
  LOG10,
  /** The logarithm to the base of 2. */
  LOG2,
  /** log |Γ(x)|. */
  GAMMALN,
  /** The sine. */
  SIN,
  /** The cosine. */
  COS,
  /** The tangent. */
  TAN,
  /** The inverse of the sine. */
  ASIN,
  /** The inverse of the cosine. */
  ACOS,
  /** The inverse of the tangent. */
  ATAN,
  /** The hyperbolic sine. */
  SINH,
  /** The hyperbolic cosine. */
  COSH,
  /** The hyperbolic tangent. */
  TANH,
  /** The inverse of the hyperbolic sine. */
  ASINH,
  /** The inverse of the hyperbolic cosine. */
  ACOSH,
  /** The inverse of the hyperbolic tangent. */
  ATANH,
  /** The error function. */
  ERF,
  /** The inverse of the error function. */
  ERFINV,
  /** Radians as degrees. */
  TO_DEGREES,
  /** Degrees as radians. */
  TO_RADIANS,
  /** 1 / (1 + e⁻ˣ). */
  SIGMOID,
  /** log(1 + eˣ). */
  SOFTPLUS,
  /** x / (1 + |x|). */
  SOFTSIGN,
  /** The scaled exponential linear unit (Klambauer et al., arXiv 1706.02515). */
  SELU,
  /** x Φ(x) (Hendrycks and Gimpel, arXiv 1606.08415). */
  GELU,
  /** Whether it is 0, as a boolean. */
  LOGICAL_NOT,
  /** Whether it is not a number, as a boolean. */
  IS_NAN,
  /** Whether it is infinite, as a boolean. */
  IS_INFINITE;

  /** What it makes of a floating-point number; found when it is asked for: a start needs few. */
  DoubleUnaryOperator ofDoubles() {
    return switch (this) {
      case ABS -> Math::abs;
      case NEG -> x -> -x;
      case SIGN -> x -> x > 0 ? 1 : x < 0 ? -1 : 0;
      case SQUARE -> x -> x * x;
      case FLOOR -> Math::floor;
      case CEIL -> Math::ceil;
      case ROUND -> Math::rint;
      case TRUNC -> x -> x < 0 ? Math.ceil(x) : Math.floor(x);
      case RELU -> x -> x < 0 ? 0 : x;
      case SQRT -> Math::sqrt;
      case CBRT -> Math::cbrt;
      case EXP -> Math::exp;
      case LOG -> Math::log;
      case LOG10 -> Math::log10;
      case LOG2 -> SpecialFunctions::log2;
      case GAMMALN -> SpecialFunctions::gammaln;
      case SIN -> Math::sin;
      case COS -> Math::cos;
      case TAN -> Math::tan;
      case ASIN -> Math::asin;
      case ACOS -> Math::acos;
      case ATAN -> Math::atan;
      case SINH -> Math::sinh;
      case COSH -> Math::cosh;
      case TANH -> Math::tanh;
      case ASINH -> SpecialFunctions::asinh;
      case ACOSH -> SpecialFunctions::acosh;
      case ATANH -> SpecialFunctions::atanh;
      case ERF -> SpecialFunctions::erf;
      case ERFINV -> SpecialFunctions::erfinv;
      case TO_DEGREES -> x -> x * 180 / Math.PI;
      case TO_RADIANS -> x -> x * Math.PI / 180;
      case SIGMOID -> SpecialFunctions::sigmoid;
      case SOFTPLUS -> SpecialFunctions::softplus;
      case SOFTSIGN -> x -> x / (1 + Math.abs(x));
      case SELU -> SpecialFunctions::selu;
      case GELU -> SpecialFunctions::gelu;
      case LOGICAL_NOT -> x -> x == 0 ? 1 : 0;
      case IS_NAN -> x -> Double.isNaN(x) ? 1 : 0;
      case IS_INFINITE -> x -> Double.isInfinite(x) ? 1 : 0;
    };
  }

  /** What it makes of a whole number; null where it takes it for a floating-point one. */
  LongUnaryOperator ofLongs() {
    return switch (this) {
      case ABS -> Math::abs;
      case NEG -> x -> -x;
      case SIGN -> Long::signum;
      case SQUARE -> x -> x * x;
      case FLOOR, CEIL, ROUND, TRUNC -> x -> x;
      case RELU -> x -> Math.max(x, 0);
      case LOGICAL_NOT -> x -> x == 0 ? 1 : 0;
      case IS_NAN, IS_INFINITE -> x -> 0;
      default -> null;
    };
  }

  /** Whether results are whole where elements are. */
  public boolean keepsWhole() {
    return switch (this) {
      case ABS,
          NEG,
          SIGN,
          SQUARE,
          FLOOR,
          CEIL,
          ROUND,
          TRUNC,
          RELU,
          LOGICAL_NOT,
          IS_NAN,
          IS_INFINITE ->
          true;
      default -> false;
    };
  }

  /** Whether results are booleans. */
  public boolean tells() {
    return this == LOGICAL_NOT || this == IS_NAN || this == IS_INFINITE;
  }
}
