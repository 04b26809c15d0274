package dev.gatun.generation;

import dev.gatun.generation.BeamGroup.Beam;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;

/**
 * Beam search over a model that somebody else steps: {@link #running} are the sequences whose next
 * logits {@link #step} takes. Groups of beams take their turns in a step; each has less of what
 * those before it took (Vijayakumar et al., Diverse beam search, 2018).
 */
final class BeamSearch {
  private final GenerationConfig config;
  private final List<BeamGroup> groups = new ArrayList<>();

  /**
   * Begins with a prompt.
   *
   * @param ends whether a sequence ends the text for another reason than its last token or length
   * @param source the ids that the model's encoder read; null for a model without one
   * @param maxLength the most tokens of a sequence, the prompt's counted
   */
  BeamSearch(
      GenerationConfig config,
      Predicate<TokenHistory> ends,
      TokenHistory prompt,
      int[] source,
      int maxLength,
      long seed) {
    this.config = config;
    Sampler sampler = new Sampler(config, maxLength, source);
    for (int group = 0; group < config.numBeamGroups(); group++) {
      groups.add(new BeamGroup(config, sampler, ends, prompt, maxLength, seed));
    }
  }

  /** The sequences that go on; their {@code parent} is the place in the list before. */
  List<Beam> running() {
    return concatenated(groups.stream().map(BeamGroup::running).toList());
  }

  private static List<Beam> concatenated(List<List<Beam>> lists) {
    return lists.stream().flatMap(List::stream).toList();
  }

  boolean isDone() {
    return groups.stream().allMatch(group -> group.running().isEmpty());
  }

  /**
   * Goes on by a token.
   *
   * @param scores the log-probabilities behind each running sequence [vocabulary], changed
   */
  void step(float[][] scores) {
    int[] taken = new int[scores[0].length];
    int first = 0;
    for (BeamGroup group : groups) {
      int count = group.running().size();
      if (count > 0) {
        float[][] part = Arrays.copyOfRange(scores, first, first + count);
        group.step(part, config.diversityPenalty() == 0 ? null : taken, first);
        for (Beam beam : group.running()) {
          taken[beam.history().get(beam.history().length() - 1)]++;
        }
      }
      first += count;
    }
  }

  /** The best finished sequences, as many as are to be returned, the best first. */
  List<Beam> results() {
    return concatenated(groups.stream().map(BeamGroup::finished).toList()).stream()
        .sorted(Comparator.comparingDouble(beam -> -beam.score()))
        .limit(config.numReturnSequences())
        .toList();
  }
}
