package dev.gatun.cli;

import java.util.List;
import java.util.function.IntConsumer;

/** Texts to vectors, as the commands need it. */
interface Embedder extends AutoCloseable {
  /** The tokens that the model makes of a text, special ones included, however many. */
  long[] tokens(String text);

  /** The most tokens that a text may have. */
  int limit();

  /** A text's vector, of length one. */
  float[] embed(String text);

  /**
   * Vectors of length one.
   *
   * @param done is told of every batch, how many passages were in it
   */
  float[][] embed(List<TokenizedPassage> passages, IntConsumer done);

  /** What the vectors depend on: two embedders with the same one agree. */
  String fingerprint();

  @Override
  void close();
}
