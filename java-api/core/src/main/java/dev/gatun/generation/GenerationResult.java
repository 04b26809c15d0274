package dev.gatun.generation;

import java.time.Duration;
import java.util.List;

/**
 * What a request gave.
 *
 * @param completions its sequences: one, as many as were asked for, or the best beams in order
 * @param promptTokens the prompt's length
 * @param cachedTokens how many of them were in the cache, and were not computed again
 * @param seed what sampling was seeded with, to repeat it
 * @param promptTime from the request to its first token, waiting included
 * @param generationTime from the first token to the last
 * @param speculation what became of guesses at the next tokens
 */
public record GenerationResult(
    List<Completion> completions,
    int promptTokens,
    int cachedTokens,
    long seed,
    Duration promptTime,
    Duration generationTime,
    Speculation speculation) {
  /** Copies. */
  public GenerationResult {
    completions = List.copyOf(completions);
  }

  /** {@return the text of the first sequence} */
  public String text() {
    return completions.getFirst().text();
  }

  /** {@return the number of generated tokens of all sequences} */
  public int generatedTokens() {
    return completions.stream().mapToInt(completion -> completion.tokens().size()).sum();
  }
}
