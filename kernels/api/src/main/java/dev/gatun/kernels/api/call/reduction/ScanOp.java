package dev.gatun.kernels.api.call.reduction;

/** What {@link Scan} makes of the elements up to each. */
public enum ScanOp {
  /** Their sum. */
  SUM,
  /** Their product. */
  PRODUCT
}
