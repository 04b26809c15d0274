package dev.gatun.bench;

/** A contender: all-MiniLM-L6-v2 on some library. */
interface Embedder extends AutoCloseable {
  /**
   * The vectors of token sequences, of length 1.
   *
   * @param ids token ids [batch][length of the sequence]
   * @return [batch][384]
   */
  float[][] embed(long[][] ids) throws Exception;

  /** The library's name and version. */
  String version();

  @Override
  void close();
}
