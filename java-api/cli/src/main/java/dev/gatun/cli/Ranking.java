package dev.gatun.cli;

import java.util.Comparator;
import java.util.List;

/** Passages by nearness to a query. */
final class Ranking {
  private Ranking() {}

  /** The nearest passages, the best first; equal ones in the order given. */
  static List<Hit> top(float[] query, List<Located> passages, int count) {
    return passages.stream()
        .map(at -> new Hit(dot(query, at.kept().vector()), at.file(), at.kept().passage()))
        .sorted(Comparator.comparingDouble(Hit::score).reversed())
        .limit(count)
        .toList();
  }

  private static float dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return (float) sum;
  }
}
