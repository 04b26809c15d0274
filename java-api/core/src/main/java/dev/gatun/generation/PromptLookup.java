package dev.gatun.generation;

import java.util.ArrayList;
import java.util.List;

/**
 * Guesses that what followed the last tokens before follows them again (Saxena, Prompt lookup
 * decoding, 2023).
 *
 * @param tokens of a guess
 */
record PromptLookup(int tokens) implements Drafter {
  private static final int LONGEST_MATCH = 3;

  @Override
  public List<Integer> propose(TokenHistory history, int most) {
    int end = history.length();
    for (int match = Math.min(LONGEST_MATCH, end - 1); match > 0; match--) {
      int[] last = history.from(end - match);
      // The latest place is the likeliest.
      for (int at = end - match - 1; at >= 0; at--) {
        if (has(history, at, last)) {
          List<Integer> found = new ArrayList<>();
          int from = at + match;
          for (int i = from; i < end && found.size() < Math.min(most, tokens); i++) {
            found.add(history.get(i));
          }
          return found;
        }
      }
    }
    return List.of();
  }

  private static boolean has(TokenHistory history, int at, int... tokens) {
    for (int i = 0; i < tokens.length; i++) {
      if (history.get(at + i) != tokens[i]) {
        return false;
      }
    }
    return true;
  }
}
