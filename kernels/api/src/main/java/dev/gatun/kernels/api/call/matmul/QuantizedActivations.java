package dev.gatun.kernels.api.call.matmul;

/** What a product with quantised weights does with its activations. */
public enum QuantizedActivations {
  /** They stay what they are: W4A16, W8A16. */
  EXACT,
  /**
   * W8A8: each token's become signed bytes, {@code offset + scale * code}. Where the weight's
   * layout has sums, the codes span what lies between the token's smallest and largest number,
   * {@code offset = max / 2 + min / 2} and {@code scale = (max / 2 - min / 2) / 127}; otherwise
   * {@code offset = 0} and {@code scale = max|x| / 127}.
   */
  INT8_PER_TOKEN,
  /**
   * W4A8: the same in blocks of 32 input features of a token, as GGML does, with {@code offset =
   * 0}.
   */
  INT8_BLOCKS
}
