package dev.gatun.pipelines;

/** Token ids to numbers, as a pipeline needs it of a model with its head. */
public interface TextModel extends AutoCloseable {
  /**
   * Runs the model over texts of any lengths without padding.
   *
   * @param ids the token ids of each text
   * @param typeIds their segments
   * @return [rows, columns]: a row a token, the texts one after the other; or a row a text for a
   *     head that looks at whole texts
   */
  float[] run(long[][] ids, long[][] typeIds);

  /** The numbers in a row: the hidden size, the labels, the vocabulary. */
  int columns();

  /** The most tokens of a text. */
  int maxLength();

  @Override
  void close();
}
