package dev.gatun.models;

import dev.gatun.nn.KvCache;
import dev.gatun.nn.Linear;
import dev.gatun.tensor.Tensor;

/** What a family of decoders computes, from packed tokens to the scores of the next one. */
interface Decoder extends TokenRules {
  /**
   * The forward pass up to the hidden states after the last norm. Keys and values go to the batch's
   * step of a cache, where it has one.
   *
   * @param trace is handed every layer's states and attention weights
   * @return [tokens, hidden]
   */
  Tensor forward(TokenBatch batch, Trace trace);

  /**
   * The layer whose results the scores are, of {@link #beforeOutput}; null where more is done to
   * them.
   */
  Linear output();

  /** What the output layer reads of some rows of what {@link #forward} gives. */
  default Tensor beforeOutput(Tensor hidden) {
    return hidden;
  }

  /**
   * The scores of each token of the vocabulary to be the next one.
   *
   * @param hidden some rows of what {@link #forward} gives, [rows, hidden]
   * @return F32 [rows, vocabulary]
   */
  default Tensor logits(Tensor hidden) {
    return output().forward(beforeOutput(hidden));
  }

  /** What a cache keeps of a token, in the dtype that attention computes in. */
  KvCache.Shape cacheShape();

  /** Whether a weight's name is that of another head of the family, or of a table it needs not. */
  boolean isOtherHead(String name);

  /** What its routers choose from; null for one without experts. */
  default Routers routers() {
    return null;
  }

  /**
   * Positions count from the first token of a sequence that is not padding. Of a model that turns
   * the tokens of long sequences another way, those of a long one lie behind the others.
   */
  @Override
  default long[] positions(BatchLayout layout) {
    return RopeConfig.positions(layout, cacheShape().switchLength());
  }
}
