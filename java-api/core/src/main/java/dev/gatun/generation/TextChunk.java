package dev.gatun.generation;

import java.util.List;

/**
 * What came of a sequence since its chunk before.
 *
 * @param index which of the request's sequences this is, from 0
 * @param text whole characters; empty where they need tokens that are yet to come
 * @param tokens the tokens that came
 */
public record TextChunk(int index, String text, List<GeneratedToken> tokens) {
  /** Copies. */
  public TextChunk {
    tokens = List.copyOf(tokens);
  }
}
