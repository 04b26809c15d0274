package dev.gatun.kernels.api.call.experts;

import dev.gatun.kernels.api.memory.Offsets;

/**
 * How many tokens of a sequence an expert takes; it drops those after (Switch Transformers, arXiv
 * 2101.03961, section 2.2).
 *
 * @param tokens the most that an expert takes of a sequence, at least 1
 * @param sequences the tokens that share a capacity; one sequence for all
 */
public record ExpertCapacity(long tokens, Offsets sequences) {
  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public ExpertCapacity {
    if (tokens < 1) {
      throw new IllegalArgumentException(
          "expert capacity: %d tokens, expected 1 or more".formatted(tokens));
    }
    if (sequences == null) {
      throw new IllegalArgumentException("expert capacity: sequences is missing");
    }
  }
}
