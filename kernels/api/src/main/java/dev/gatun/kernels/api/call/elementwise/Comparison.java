package dev.gatun.kernels.api.call.elementwise;

/** What {@link Compare} asks of two numbers. Of NaN all but {@link #NOT_EQUAL} is false. */
public enum Comparison {
  /** {@code a = b}; 0 equals -0. */
  EQUAL,
  /** {@code a ≠ b}. */
  NOT_EQUAL,
  /** {@code a < b}. */
  LESS,
  /** {@code a ≤ b}. */
  LESS_EQUAL,
  /** {@code a > b}. */
  GREATER,
  /** {@code a ≥ b}. */
  GREATER_EQUAL
}
