package dev.gatun.cli;

import java.util.List;

/** Texts to vectors, as the commands need it. */
interface Embedder extends AutoCloseable {
  /** How many tokens the model makes of a text, special ones included. */
  int tokens(String text);

  /** The most tokens that a text may have. */
  int limit();

  /** Vectors of length one. */
  float[][] embed(List<String> texts);

  /** What the vectors depend on: two embedders with the same one agree. */
  String fingerprint();

  @Override
  void close();
}
