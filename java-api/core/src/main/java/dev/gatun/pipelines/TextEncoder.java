package dev.gatun.pipelines;

/** Token ids to the last hidden states, as a pipeline needs it of a model. */
public interface TextEncoder extends AutoCloseable {
  /**
   * Runs the model over texts of any lengths without padding.
   *
   * @param ids the token ids of each text
   * @param typeIds their segments
   * @return [all tokens, hidden size], the texts one after the other
   */
  float[] encode(long[][] ids, long[][] typeIds);

  /** The length of a token's vector. */
  int hiddenSize();

  /** The most tokens of a text. */
  int maxLength();

  @Override
  void close();
}
