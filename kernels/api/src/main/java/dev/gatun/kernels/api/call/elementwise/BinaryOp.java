package dev.gatun.kernels.api.call.elementwise;

/** What {@link Elementwise} makes of two numbers. */
public enum BinaryOp {
  /** a + b. */
  ADD,
  /** a - b. */
  SUBTRACT,
  /** a * b. */
  MULTIPLY,
  /** a / b. */
  DIVIDE,
  /** The larger one; NaN where either is, and 0 is larger than -0. */
  MAXIMUM,
  /** The smaller one; NaN where either is, and -0 is smaller than 0. */
  MINIMUM,
  /** 1 where they are equal, else 0; so NaN equals nothing, and 0 equals -0. */
  EQUAL,
  /** 1 where the first is less, else 0, as of NaN. */
  LESS,
  /** {@code a / √b}, as norms divide. */
  DIVIDE_BY_ROOT,
  /** The first where the second is not 0, else 0, whatever the first is. */
  KEEP_WHERE
}
