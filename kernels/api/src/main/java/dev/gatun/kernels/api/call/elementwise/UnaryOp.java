package dev.gatun.kernels.api.call.elementwise;

/**
 * What {@link Unary} makes of a number. Where a function has no value, as the logarithm of a
 * negative number, it gives NaN, and it gives NaN of NaN, {@link #SIGN} alone 0. Signs of zeros are
 * IEEE 754's.
 */
public enum UnaryOp {
  /** |x|. */
  ABS,
  /** -x. */
  NEGATE,
  /** -1, 0 or 1; 0 of both zeros and of NaN. */
  SIGN,
  /** x². */
  SQUARE,
  /** 1 / x. */
  RECIPROCAL,
  /** √x. */
  SQRT,
  /** 1 / √x, rounded once. */
  RSQRT,
  /** ∛x, of negative numbers too. */
  CBRT,
  /** The largest whole number that is not above x. */
  FLOOR,
  /** The smallest whole number that is not below x. */
  CEIL,
  /** The nearest whole number, of two the even one. */
  ROUND,
  /** The nearest whole number towards 0. */
  TRUNC,
  /** eˣ. */
  EXP,
  /** eˣ - 1. */
  EXPM1,
  /** ln x, -∞ of 0. */
  LOG,
  /** ln(1 + x). */
  LOG1P,
  /** The logarithm to the base of 2. */
  LOG2,
  /** The logarithm to the base of 10. */
  LOG10,
  /** sin x of any finite number of radians. */
  SIN,
  /** cos x of any finite number of radians. */
  COS,
  /** tan x of any finite number of radians. */
  TAN,
  /** The inverse of the sine, -π/2 to π/2. */
  ASIN,
  /** The inverse of the cosine, 0 to π. */
  ACOS,
  /** The inverse of the tangent, -π/2 to π/2. */
  ATAN,
  /** sinh x. */
  SINH,
  /** cosh x. */
  COSH,
  /** The inverse of sinh. */
  ASINH,
  /** The inverse of cosh that is not negative. */
  ACOSH,
  /** The inverse of tanh. */
  ATANH,
  /** The error function, 2/√π ∫₀ˣ exp(-t²) dt. */
  ERF;

  /** {@return whether it is of whole numbers too, whose results are whole} */
  public boolean takesWhole() {
    return switch (this) {
      case ABS, NEGATE, SIGN, SQUARE -> true;
      default -> false;
    };
  }
}
