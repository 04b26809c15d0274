package dev.gatun.text;

import java.io.IOException;

/** Runs tokenizer.json files; found by {@link java.util.ServiceLoader}. */
public interface TokenizerProvider {
  /** The dependency that has one, as {@code groupId:artifactId}. */
  String DEPENDENCY = "dev.gatun:gatun-text-hf";

  /**
   * {@return an engine, which the caller closes}
   *
   * @param tokenizerJson the text of a tokenizer.json in UTF-8, without truncation and padding
   * @throws IOException if native code cannot be unpacked
   * @throws RuntimeException if it is no tokenizer.json of a kind that is known
   */
  TokenizerEngine open(byte[] tokenizerJson) throws IOException;
}
