package dev.gatun.nn;

import dev.gatun.tensor.Tensor;

/** A norm of the queries' or the keys' heads, each alone. */
public interface HeadNorm {
  /**
   * {@return the norms of some heads, of their dtype, in a new tensor}
   *
   * @param x F32, BF16 or F16 [tokens, heads, head_size] of any strides
   */
  Tensor ofHeads(Tensor x);
}
