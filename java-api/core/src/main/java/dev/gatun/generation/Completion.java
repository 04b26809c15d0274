package dev.gatun.generation;

import java.util.List;
import java.util.Optional;

/**
 * A sequence that ended.
 *
 * @param text what was generated, without the prompt, the end of text and a stop string
 * @param tokens what was generated, the end of text included
 * @param reason why it ended
 * @param stopString the stop string that ended it
 * @param score a beam's: its log-probability over a power of its length; NaN for others
 */
public record Completion(
    String text,
    List<GeneratedToken> tokens,
    FinishReason reason,
    Optional<String> stopString,
    float score) {
  /** Copies. */
  public Completion {
    tokens = List.copyOf(tokens);
  }

  /** {@return the ids of the tokens, the end of text included} */
  public int[] ids() {
    return tokens.stream().mapToInt(GeneratedToken::id).toArray();
  }
}
