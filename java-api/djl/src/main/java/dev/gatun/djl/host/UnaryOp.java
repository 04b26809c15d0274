package dev.gatun.djl.host;

import java.util.function.DoubleUnaryOperator;
import java.util.function.LongUnaryOperator;

/** What is made of each element by itself. */
public enum UnaryOp {
  /** |x|. */
  ABS(Math::abs, Math::abs),
  /** -x. */
  NEG(x -> -x, x -> -x),
  /** -1, 0 or 1. */
  SIGN(x -> Double.isNaN(x) ? 0 : Math.signum(x), Long::signum),
  /** x². */
  SQUARE(x -> x * x, x -> x * x),
  /** The whole number below. */
  FLOOR(Math::floor, x -> x),
  /** The whole number above. */
  CEIL(Math::ceil, x -> x),
  /** The nearest whole number, the even one of two. */
  ROUND(Math::rint, x -> x),
  /** The whole number towards 0. */
  TRUNC(x -> x < 0 ? Math.ceil(x) : Math.floor(x), x -> x),
  /** The larger of x and 0. */
  RELU(x -> x < 0 ? 0 : x, x -> Math.max(x, 0)),
  /** √x. */
  SQRT(Math::sqrt),
  /** x^(1/3). */
  CBRT(Math::cbrt),
  /** eˣ. */
  EXP(Math::exp),
  /** The natural logarithm. */
  LOG(Math::log),
  /** The logarithm to the base of 10. */
  LOG10(Math::log10),
  /** The logarithm to the base of 2. */
  LOG2(x -> Math.log(x) / Math.log(2)),
  /** log |Γ(x)|. */
  GAMMALN(SpecialFunctions::gammaln),
  /** The sine. */
  SIN(Math::sin),
  /** The cosine. */
  COS(Math::cos),
  /** The tangent. */
  TAN(Math::tan),
  /** The inverse of the sine. */
  ASIN(Math::asin),
  /** The inverse of the cosine. */
  ACOS(Math::acos),
  /** The inverse of the tangent. */
  ATAN(Math::atan),
  /** The hyperbolic sine. */
  SINH(Math::sinh),
  /** The hyperbolic cosine. */
  COSH(Math::cosh),
  /** The hyperbolic tangent. */
  TANH(Math::tanh),
  /** The inverse of the hyperbolic sine. */
  ASINH(SpecialFunctions::asinh),
  /** The inverse of the hyperbolic cosine. */
  ACOSH(SpecialFunctions::acosh),
  /** The inverse of the hyperbolic tangent. */
  ATANH(SpecialFunctions::atanh),
  /** The error function. */
  ERF(SpecialFunctions::erf),
  /** The inverse of the error function. */
  ERFINV(SpecialFunctions::erfinv),
  /** Radians as degrees. */
  TO_DEGREES(x -> x * 180 / Math.PI),
  /** Degrees as radians. */
  TO_RADIANS(x -> x * Math.PI / 180),
  /** 1 / (1 + e⁻ˣ). */
  SIGMOID(SpecialFunctions::sigmoid),
  /** log(1 + eˣ). */
  SOFTPLUS(SpecialFunctions::softplus),
  /** x / (1 + |x|). */
  SOFTSIGN(x -> x / (1 + Math.abs(x))),
  /** The scaled exponential linear unit (Klambauer et al., arXiv 1706.02515). */
  SELU(SpecialFunctions::selu),
  /** x Φ(x) (Hendrycks and Gimpel, arXiv 1606.08415). */
  GELU(SpecialFunctions::gelu),
  /** Whether it is 0, as a boolean. */
  LOGICAL_NOT(x -> x == 0 ? 1 : 0, x -> x == 0 ? 1 : 0, true),
  /** Whether it is not a number, as a boolean. */
  IS_NAN(x -> Double.isNaN(x) ? 1 : 0, x -> 0, true),
  /** Whether it is infinite, as a boolean. */
  IS_INFINITE(x -> Double.isInfinite(x) ? 1 : 0, x -> 0, true);

  private final DoubleUnaryOperator ofDoubles;
  private final LongUnaryOperator ofLongs;
  private final boolean tells;

  UnaryOp(DoubleUnaryOperator ofDoubles) {
    this(ofDoubles, null, false);
  }

  UnaryOp(DoubleUnaryOperator ofDoubles, LongUnaryOperator ofLongs) {
    this(ofDoubles, ofLongs, false);
  }

  UnaryOp(DoubleUnaryOperator ofDoubles, LongUnaryOperator ofLongs, boolean tells) {
    this.ofDoubles = ofDoubles;
    this.ofLongs = ofLongs;
    this.tells = tells;
  }

  /** What it makes of a floating-point number. */
  DoubleUnaryOperator ofDoubles() {
    return ofDoubles;
  }

  /** What it makes of a whole number; null where it takes it for a floating-point one. */
  LongUnaryOperator ofLongs() {
    return ofLongs;
  }

  /** Whether results are whole where elements are. */
  public boolean keepsWhole() {
    return ofLongs != null;
  }

  /** Whether results are booleans. */
  public boolean tells() {
    return tells;
  }
}
