package dev.gatun.kernels.api.call.reduction;

/** How the tokens of a sequence become one vector. */
public enum PoolingMode {
  /** The mean over the tokens. */
  MEAN,
  /** The first token ({@code [CLS]}). */
  FIRST,
  /** The maximum of each feature. */
  MAX,
  /** The last token. */
  LAST
}
