package dev.gatun.kernels.api.call.reduction;

/** What {@link Reduce} makes of the elements along an axis. */
public enum Reduction {
  /** The sum; 0 of nothing. */
  SUM,
  /** The sum over the number of elements. */
  MEAN,
  /** The largest one; NaN where one is. */
  MAX,
  /** The smallest one; NaN where one is. */
  MIN
}
