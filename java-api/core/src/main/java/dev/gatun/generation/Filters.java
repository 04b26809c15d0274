package dev.gatun.generation;

import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/**
 * The filters of Hugging Face's {@code generate}. Each keeps at least {@code atLeast} tokens: 1 for
 * sampling, more for beams, which must not end all at once. Probabilities are computed in double.
 */
final class Filters {
  private static final int TOP_H_TOKENS = 100;

  private Filters() {}

  static CandidateFilter temperature(float temperature) {
    return candidates -> candidates.divide(temperature);
  }

  /** The k highest scores, and those equal to the lowest of them (Fan et al., 2018). */
  static CandidateFilter topK(int k, int atLeast) {
    return c -> {
      int kept = Math.max(k, atLeast);
      if (kept < c.count()) {
        c.retainFrom(Selection.kthLargest(c.scores(), c.count(), kept));
      }
    };
  }

  /** The most likely tokens whose probabilities reach p (Holtzman et al., 2020). */
  static CandidateFilter topP(double p, int atLeast) {
    return c -> {
      long[] weights = c.weights();
      long left = Math.unsignedMultiplyHigh(Draw.left(p), Candidates.sum(weights));
      var crossing = Selection.crossing(c.scores(), weights, c.count(), left);
      boolean[] keep = new boolean[c.count()];
      long below = crossing.below();
      for (int i = 0; i < keep.length; i++) {
        if (c.score(i) == crossing.key()) {
          // Of equal scores those of lower ids go first.
          below += weights[i];
          keep[i] = below > left;
        } else {
          keep[i] = c.score(i) > crossing.key();
        }
      }
      c.retain(keep, atLeast);
    };
  }

  /** Probabilities of at least p times the highest (Nguyen et al., 2024). */
  static CandidateFilter minP(double p, int atLeast) {
    return c -> {
      long least = Draw.least(p);
      long[] weights = c.weights();
      boolean[] keep = new boolean[weights.length];
      for (int i = 0; i < keep.length; i++) {
        keep[i] = weights[i] >= least;
      }
      c.retain(keep, atLeast);
    };
  }

  /** The tokens closest to the expected information, of probability p (Meister et al., 2022). */
  static CandidateFilter typical(double p, int atLeast) {
    return c -> {
      double[] probabilities = c.probabilities();
      double entropy = entropy(probabilities);
      float[] distance = new float[c.count()];
      float[] negated = new float[c.count()];
      for (int i = 0; i < distance.length; i++) {
        distance[i] = (float) Math.abs(-Math.log(probabilities[i]) - entropy);
        negated[i] = -distance[i];
      }
      long[] weights = c.weights();
      long mass = (long) Math.ceil(p * Candidates.sum(weights)) - 1;
      float most = Selection.crossing(distance, weights, c.count(), mass).key();
      int kept = Math.min(atLeast, c.count());
      most = Math.max(most, -Selection.kthLargest(negated, c.count(), kept));
      boolean[] keep = new boolean[c.count()];
      for (int i = 0; i < keep.length; i++) {
        keep[i] = distance[i] <= most;
      }
      c.retain(keep, 1);
    };
  }

  /** Probabilities of at least epsilon (Hewitt et al., 2022). */
  static CandidateFilter epsilon(double epsilon, int atLeast) {
    return c -> c.retain(atLeast(c.probabilities(), epsilon), atLeast);
  }

  /** The same with a bound that falls with the entropy (Hewitt et al., 2022). */
  static CandidateFilter eta(double epsilon, int atLeast) {
    return c -> {
      double[] probabilities = c.probabilities();
      double bound = Math.sqrt(epsilon) * Math.exp(-entropy(probabilities));
      c.retain(atLeast(probabilities, Math.min(epsilon, bound)), atLeast);
    };
  }

  /**
   * The most likely tokens whose terms of the entropy stay within a share h of it, of the 100 most
   * likely (Baghaei Potraghloo et al., Top-H decoding, 2025).
   */
  static CandidateFilter topH(double h) {
    return c -> {
      if (c.count() > TOP_H_TOKENS) {
        c.retainFrom(Selection.kthLargest(c.scores(), c.count(), TOP_H_TOKENS));
      }
      int[] order =
          IntStream.range(0, c.count())
              .boxed()
              .sorted(Comparator.comparing(i -> -c.score(i)))
              .limit(TOP_H_TOKENS)
              .mapToInt(Integer::intValue)
              .toArray();
      double[] all = c.probabilities();
      double mass = Arrays.stream(order).mapToDouble(i -> all[i]).sum();
      double[] terms = Arrays.stream(order).mapToDouble(i -> -xLogX(all[i] / mass)).toArray();
      // Added up as below, so that all of the entropy keeps all tokens.
      double entropy = 0;
      for (double term : terms) {
        entropy += term;
      }
      double bound = h * entropy;
      boolean[] keep = new boolean[c.count()];
      double sum = 0;
      for (int i = 0; i < order.length; i++) {
        sum += terms[i];
        keep[order[i]] = i == 0 || sum <= bound;
      }
      c.retain(keep, 1);
    };
  }

  private static boolean[] atLeast(double[] probabilities, double least) {
    boolean[] keep = new boolean[probabilities.length];
    for (int i = 0; i < keep.length; i++) {
      keep[i] = probabilities[i] >= least;
    }
    return keep;
  }

  private static double entropy(double[] probabilities) {
    return -Arrays.stream(probabilities).map(Filters::xLogX).sum();
  }

  private static double xLogX(double x) {
    return x == 0 ? 0 : x * Math.log(x);
  }
}
