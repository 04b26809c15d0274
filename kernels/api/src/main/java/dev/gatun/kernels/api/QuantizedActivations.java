package dev.gatun.kernels.api;

/** What a product with quantised weights does with its activations. */
public enum QuantizedActivations {
  /** They stay what they are: W4A16, W8A16. */
  EXACT,
  /**
   * W8A8: each token's become signed bytes, {@code scale = max|x| / 127}, rounded to nearest even.
   */
  INT8_PER_TOKEN,
  /** The same in blocks of 32 input features of a token, as GGML does: W4A8. */
  INT8_BLOCKS
}
