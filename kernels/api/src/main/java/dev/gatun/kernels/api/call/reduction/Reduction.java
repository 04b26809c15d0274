package dev.gatun.kernels.api.call.reduction;

/** What {@link Reduce} makes of the elements along an axis. */
public enum Reduction {
  SUM,
  MEAN,
  /** The largest one; NaN where one is. */
  MAX,
  /** The smallest one; NaN where one is. */
  MIN
}
