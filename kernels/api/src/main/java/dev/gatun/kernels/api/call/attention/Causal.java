package dev.gatun.kernels.api.call.attention;

/** Which keys a query may see by position. */
public enum Causal {
  /** All of them. */
  NONE,
  /** Query i sees the keys 0 to i, as PyTorch's {@code is_causal}. */
  TOP_LEFT,
  /** Query i sees the keys 0 to {@code key_length - query_length + i}, as with a cache. */
  BOTTOM_RIGHT
}
