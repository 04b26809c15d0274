package dev.gatun.generation;

import dev.gatun.kernels.api.call.reduction.Sample;
import java.util.Arrays;

/** Tokens that may come next, in the order of their ids, with their scores. */
final class Candidates {
  private final int[] ids;
  private final float[] scores;
  private int count;

  private Candidates(int[] ids, float[] scores, int count) {
    this.ids = ids;
    this.scores = scores;
    this.count = count;
  }

  /** The tokens whose scores are not -infinity. */
  static Candidates of(float[] all) {
    int[] ids = new int[all.length];
    float[] scores = new float[all.length];
    int count = 0;
    for (int id = 0; id < all.length; id++) {
      if (all[id] != Float.NEGATIVE_INFINITY) {
        ids[count] = id;
        scores[count++] = all[id];
      }
    }
    return new Candidates(ids, scores, count);
  }

  int count() {
    return count;
  }

  int id(int index) {
    return ids[index];
  }

  float score(int index) {
    return scores[index];
  }

  /** The scores; those behind {@link #count} have no meaning. */
  float[] scores() {
    return scores;
  }

  void divide(float by) {
    for (int i = 0; i < count; i++) {
      scores[i] /= by;
    }
  }

  float max() {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < count; i++) {
      max = Math.max(max, scores[i]);
    }
    return max;
  }

  /** The softmax of the scores in whole numbers, {@link Sample#ONE} of the highest one. */
  long[] weights() {
    long[] weights = new long[count];
    float max = max();
    for (int i = 0; i < count; i++) {
      // Infinities of the same sign are equal.
      weights[i] = scores[i] == max ? Sample.ONE : Sample.weight((double) scores[i] - max);
    }
    return weights;
  }

  static long sum(long... weights) {
    long sum = 0;
    for (long weight : weights) {
      sum += weight;
    }
    return sum;
  }

  /** The softmax of the scores, in double. */
  double[] probabilities() {
    double[] p = new double[count];
    double sum = 0;
    double max = max();
    for (int i = 0; i < count; i++) {
      // Infinities of the same sign are equal.
      p[i] = scores[i] == max ? 1 : Math.exp(scores[i] - max);
      sum += p[i];
    }
    for (int i = 0; i < count; i++) {
      p[i] /= sum;
    }
    return p;
  }

  /**
   * Leaves out tokens.
   *
   * @param keep which ones stay, an element a token
   * @param atLeast how many of the highest scores stay whatever {@code keep} says
   */
  void retain(boolean[] keep, int atLeast) {
    int kept = 0;
    for (int i = 0; i < count; i++) {
      kept += keep[i] ? 1 : 0;
    }
    float always = Float.POSITIVE_INFINITY;
    if (kept < atLeast && count > 0) {
      always = Selection.kthLargest(scores, count, Math.min(atLeast, count));
    }
    int to = 0;
    for (int i = 0; i < count; i++) {
      if (keep[i] || scores[i] >= always) {
        ids[to] = ids[i];
        scores[to++] = scores[i];
      }
    }
    count = to;
  }

  /** Leaves out tokens with lower scores. */
  void retainFrom(float least) {
    int to = 0;
    for (int i = 0; i < count; i++) {
      if (scores[i] >= least) {
        ids[to] = ids[i];
        scores[to++] = scores[i];
      }
    }
    count = to;
  }

  /** Writes the scores to their tokens, -infinity to all others. */
  void scatter(float[] all) {
    Arrays.fill(all, Float.NEGATIVE_INFINITY);
    for (int i = 0; i < count; i++) {
      all[ids[i]] = scores[i];
    }
  }
}
