package dev.gatun.models;

/** What a family of encoder-decoders computes. */
interface EncoderDecoder {
  /** From a source's tokens to hidden states. */
  Encoder encoder();

  /** From a target's tokens and the source's hidden states to the scores of the next token. */
  CrossDecoder decoder();

  /**
   * The targets that labels alone give: each row a place further, behind what targets begin with.
   *
   * @param labels token ids, -100 for those that do not count
   */
  long[][] shifted(long[][] labels);

  /** Whether some of its layers are mixtures of experts, whose routers have logits. */
  default boolean hasRouters() {
    return false;
  }

  /** Whether a weight's name is that of another head of the family, or of a table it needs not. */
  boolean isOtherHead(String name);
}
