package dev.gatun.cli;

import dev.gatun.pipelines.Similarity;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/** The passages that are nearest to a query, of all that are offered. */
final class Ranking {
  /** The best first; equal ones in the order of the texts. */
  private static final Comparator<Hit> ORDER =
      Comparator.comparingDouble(Hit::score)
          .reversed()
          .thenComparingInt(hit -> hit.place().text())
          .thenComparingInt(hit -> hit.place().passage());

  private final Similarity similarity;
  private final float[] query;
  private final int count;
  private final PriorityQueue<Hit> best = new PriorityQueue<>(ORDER.reversed());

  /**
   * A ranking of no passages.
   *
   * @param similarity how near vectors are
   * @param query its vector
   * @param count how many are kept
   */
  Ranking(Similarity similarity, float[] query, int count) {
    this.similarity = similarity;
    this.query = query;
    this.count = count;
  }

  void offer(Hit.Place place, EmbeddedPassage kept) {
    best.add(new Hit((float) similarity.of(query, kept.vector()), place, kept));
    if (best.size() > count) {
      best.remove();
    }
  }

  /** The nearest, the best first. */
  List<Hit> best() {
    return best.stream().sorted(ORDER).toList();
  }
}
