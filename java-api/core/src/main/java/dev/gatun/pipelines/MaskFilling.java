package dev.gatun.pipelines;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Logits of masked places to tokens. */
final class MaskFilling {
  /**
   * A token for a masked place.
   *
   * @param id the token's id
   * @param score its probability among the whole vocabulary
   */
  record Candidate(int id, float score) {}

  private MaskFilling() {}

  /** The places of the mask token. */
  static int[] masks(long[] ids, long maskId) {
    int[] places = IntStream.range(0, ids.length).filter(i -> ids[i] == maskId).toArray();
    if (places.length == 0) {
      throw new IllegalArgumentException("the text has no mask token");
    }
    return places;
  }

  /**
   * The best tokens for one place.
   *
   * @param logits a score for each token of the vocabulary
   * @param topK how many at most
   * @param targets the ids to choose among; none for all
   */
  static List<Candidate> candidates(float[] logits, int topK, int... targets) {
    float[] scores = Scores.softmax(logits);
    int[] ids = targets.length == 0 ? IntStream.range(0, scores.length).toArray() : targets;
    float[] chosen = new float[ids.length];
    for (int i = 0; i < ids.length; i++) {
      chosen[i] = scores[ids[i]];
    }
    List<Candidate> best = new ArrayList<>();
    for (int i : Scores.top(chosen, topK)) {
      best.add(new Candidate(ids[i], chosen[i]));
    }
    return best;
  }
}
