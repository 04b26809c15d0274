package dev.gatun.training.data;

import dev.gatun.text.Encoding;
import dev.gatun.text.SpecialTokens;
import dev.gatun.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.IntStream;

/** Chooses tokens, hides them, and keeps as labels what they were. */
final class Masking {
  private static final double MASKED = 0.8;
  private static final double REPLACED = 0.9;

  private final double probability;
  private final boolean wholeWords;
  private final int mask;
  private final Set<Long> special = new HashSet<>();
  private final int[] ordinary;

  Masking(Tokenizer tokenizer, double probability, boolean wholeWords) {
    if (!(probability > 0 && probability <= 1)) {
      throw new IllegalArgumentException(
          "masking: probability is %s, expected above 0 and at most 1".formatted(probability));
    }
    this.probability = probability;
    this.wholeWords = wholeWords;
    SpecialTokens roles = tokenizer.specialTokens();
    this.mask =
        roles
            .mask()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "masking: the tokenizer has no mask token; a masked language model's has"));
    for (OptionalInt role :
        List.of(
            roles.cls(),
            roles.sep(),
            roles.pad(),
            roles.mask(),
            roles.unk(),
            roles.bos(),
            roles.eos())) {
      role.ifPresent(id -> special.add((long) id));
    }
    tokenizer.controlTokens().ids().values().forEach(id -> special.add((long) id));
    this.ordinary =
        IntStream.range(0, tokenizer.vocabSize())
            .filter(id -> !special.contains((long) id) && tokenizer.idToToken(id).isPresent())
            .toArray();
    if (ordinary.length == 0) {
      throw new IllegalArgumentException("masking: the tokenizer has no tokens but special ones");
    }
  }

  /**
   * Hides some of {@code ids}, the tokens of {@code text}.
   *
   * @return the labels, -100 where nothing was chosen
   */
  long[] apply(Encoding text, long[] ids, Draws draws) {
    long[] labels = new long[ids.length];
    Arrays.fill(labels, Features.IGNORED);
    List<int[]> units = units(text);
    boolean any = false;
    for (int[] unit : units) {
      if (draws.uniform() < probability) {
        hide(unit, ids, labels, draws);
        any = true;
      }
    }
    if (!any && !units.isEmpty()) {
      hide(units.get(draws.below(units.size())), ids, labels, draws);
    }
    return labels;
  }

  /** What is chosen as one: tokens, or words with all of their tokens. */
  private List<int[]> units(Encoding text) {
    List<int[]> units = new ArrayList<>();
    int begin = 0;
    for (int end = 1; end <= text.length(); end++) {
      boolean more =
          wholeWords
              && end < text.length()
              && text.wordIds()[end] >= 0
              && text.wordIds()[end] == text.wordIds()[begin]
              && text.sequenceIds()[end] == text.sequenceIds()[begin];
      if (!more) {
        int[] unit = IntStream.range(begin, end).filter(at -> isOrdinary(text, at)).toArray();
        if (unit.length > 0) {
          units.add(unit);
        }
        begin = end;
      }
    }
    return units;
  }

  private boolean isOrdinary(Encoding text, int at) {
    return !text.special()[at] && !special.contains(text.ids()[at]);
  }

  private void hide(int[] unit, long[] ids, long[] labels, Draws draws) {
    for (int at : unit) {
      labels[at] = ids[at];
      double fate = draws.uniform();
      if (fate < MASKED) {
        ids[at] = mask;
      } else if (fate < REPLACED) {
        ids[at] = ordinary[draws.below(ordinary.length)];
      }
    }
  }
}
