package dev.gatun.weights;

import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/** Names close to a misspelt one: for readers of formats. */
public final class Suggestions {
  private Suggestions() {}

  /**
   * {@return the exception for a tensor that is not there, which names up to three that are called
   * alike, or else the first ones}
   *
   * @param source the file, for the message
   * @param name of the tensor that was asked for
   * @param names of those that are there
   */
  public static WeightsException missing(String source, String name, Collection<String> names) {
    List<String> close =
        names.stream()
            .map(n -> new Scored(n, distance(name, n)))
            .filter(
                s -> s.distance <= Math.max(3, name.length() / 2) || s.name.endsWith("." + name))
            .sorted(Comparator.comparingInt(Scored::distance).thenComparing(Scored::name))
            .limit(3)
            .map(Scored::name)
            .toList();
    String hint =
        close.isEmpty()
            ? "; the first of its %d tensors are %s"
                .formatted(names.size(), names.stream().limit(3).toList())
            : "; close names are " + String.join(", ", close);
    return new WeightsException(source + ": no tensor " + name + hint);
  }

  private record Scored(String name, int distance) {}

  /** Levenshtein's distance. */
  static int distance(String a, String b) {
    int[] row = new int[b.length() + 1];
    for (int j = 0; j <= b.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= a.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = diagonal + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(replaced, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[b.length()];
  }
}
