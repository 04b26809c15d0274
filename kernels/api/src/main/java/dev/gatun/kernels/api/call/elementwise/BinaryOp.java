package dev.gatun.kernels.api.call.elementwise;

/** What {@link Elementwise} makes of two numbers. */
public enum BinaryOp {
  ADD,
  SUBTRACT,
  MULTIPLY,
  DIVIDE,
  /** The larger one; NaN where either is, and 0 is larger than -0. */
  MAXIMUM,
  /** The smaller one; NaN where either is, and -0 is smaller than 0. */
  MINIMUM
}
