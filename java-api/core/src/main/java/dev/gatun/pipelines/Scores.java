package dev.gatun.pipelines;

import java.util.Comparator;
import java.util.stream.IntStream;

/** Logits as probabilities. */
final class Scores {
  private Scores() {}

  /** Probabilities that sum to one. */
  static float[] softmax(float[] logits) {
    double most = Double.NEGATIVE_INFINITY;
    for (float logit : logits) {
      most = Math.max(most, logit);
    }
    double[] powers = new double[logits.length];
    double sum = 0;
    for (int i = 0; i < logits.length; i++) {
      powers[i] = Math.exp(logits[i] - most);
      sum += powers[i];
    }
    float[] out = new float[logits.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) (powers[i] / sum);
    }
    return out;
  }

  /** Probabilities that are independent of each other. */
  static float[] sigmoid(float[] logits) {
    float[] out = new float[logits.length];
    for (int i = 0; i < out.length; i++) {
      out[i] = (float) (1 / (1 + Math.exp(-(double) logits[i])));
    }
    return out;
  }

  /** The indexes of the greatest values, the greatest first; of equal ones the first. */
  static int[] top(float[] values, int count) {
    return IntStream.range(0, values.length)
        .boxed()
        .sorted(Comparator.comparingDouble((Integer i) -> values[i]).reversed())
        .limit(count)
        .mapToInt(Integer::intValue)
        .toArray();
  }

  static int argmax(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      if (values[i] > values[best]) {
        best = i;
      }
    }
    return best;
  }
}
