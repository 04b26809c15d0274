package dev.gatun.generation;

import java.util.List;

/**
 * A number added to the score of the last of some tokens where the others are the sequence's last.
 *
 * @param tokens ids, at least one
 * @param bias what is added; -infinity forbids
 */
public record TokenBias(List<Integer> tokens, float bias) {
  /** Copies and checks. */
  public TokenBias {
    tokens = List.copyOf(tokens);
    if (tokens.isEmpty() || tokens.stream().anyMatch(id -> id < 0)) {
      throw new IllegalArgumentException(
          "sequence_bias: the tokens are %s, expected ids from 0, at least one".formatted(tokens));
    }
    if (Float.isNaN(bias)) {
      throw new IllegalArgumentException(
          "sequence_bias: the bias of %s is NaN, expected a number".formatted(tokens));
    }
  }
}
