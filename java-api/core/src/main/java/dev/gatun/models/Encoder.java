package dev.gatun.models;

import dev.gatun.tensor.Tensor;

/** What a family of encoders computes, from packed tokens to hidden states and a head's scores. */
interface Encoder extends TokenRules {
  /**
   * The forward pass up to the last hidden states.
   *
   * @param trace is handed every layer's states and attention weights
   * @return [tokens, hidden]
   */
  Tensor forward(TokenBatch batch, Trace trace);

  /**
   * Whether padding before or between tokens changes their states; it is computed like them then.
   */
  default boolean readsPadding() {
    return false;
  }

  /** What comes after the last hidden states. */
  HeadLayer head();

  /** Whether a weight's name is that of another head of the family, or of a table it needs not. */
  boolean isOtherHead(String name);
}
