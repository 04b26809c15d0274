package dev.gatun.bench;

import dev.gatun.text.Tokenizer;

/** A contender: all-MiniLM-L6-v2 on some library. */
interface Embedder extends AutoCloseable {
  /**
   * The vectors of token sequences, of length 1.
   *
   * @param ids token ids [batch][length of the sequence]
   * @return [batch][384]
   */
  float[][] embed(long[][] ids) throws Exception;

  /** The vector of a text, its way to tokens included. */
  default float[][] embed(String text, Tokenizer tokenizer) throws Exception {
    return embed(new long[][] {tokenizer.encode(text, Work.CUT).ids()});
  }

  /** The vectors of a query and of the nearest passage of a text. */
  default float[][] search(String query, String text, Tokenizer tokenizer) throws Exception {
    return Work.search(this, query, text, tokenizer);
  }

  /** The library's name and version. */
  String version();

  @Override
  void close();
}
