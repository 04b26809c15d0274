package dev.gatun.cli;

import dev.gatun.pipelines.Similarity;
import java.util.List;
import java.util.function.IntConsumer;

/** Texts to vectors, as the commands need it. */
interface Embedder extends AutoCloseable {
  /** The tokens that the model makes of a passage, special ones included, however many. */
  long[] tokens(String text);

  /** How many tokens the model makes of a query, special ones included. */
  default int queryTokens(String text) {
    return tokens(text).length;
  }

  /** How near vectors are. */
  default Similarity similarity() {
    return Similarity.COSINE;
  }

  /** The most tokens that a text may have. */
  int limit();

  /** A query's vector. */
  float[] embed(String text);

  /**
   * The vectors of passages.
   *
   * @param done is told of every batch, how many passages were in it
   */
  float[][] embed(List<TokenizedPassage> passages, IntConsumer done);

  /** What the vectors depend on: two embedders with the same one agree. */
  String fingerprint();

  @Override
  void close();
}
