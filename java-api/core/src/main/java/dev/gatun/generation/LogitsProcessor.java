package dev.gatun.generation;

/** Changes the scores of a sequence's next token, before any are left out. */
@FunctionalInterface
interface LogitsProcessor {
  /**
   * Changes scores in place.
   *
   * @param scores [vocabulary], logits or log-probabilities; -infinity for what may not come
   * @param history the tokens so far
   */
  void apply(float[] scores, TokenHistory history);
}
