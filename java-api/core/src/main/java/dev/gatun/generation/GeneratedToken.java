package dev.gatun.generation;

import java.util.List;

/**
 * A generated token.
 *
 * @param id the token
 * @param logprob its log-probability by the model; NaN where {@code logprobs} was not asked for
 * @param top the most likely tokens there, as many as were asked for, the most likely first
 */
public record GeneratedToken(int id, float logprob, List<TokenScore> top) {
  /** Copies. */
  public GeneratedToken {
    top = List.copyOf(top);
  }
}
