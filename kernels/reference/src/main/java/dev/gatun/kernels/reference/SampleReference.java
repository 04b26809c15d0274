package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.reduction.Sample;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Draws an element of each row. */
final class SampleReference {
  private SampleReference() {}

  static void run(Sample c) {
    View x = View.of(c.x());
    View temperature = View.of(c.temperature());
    View settings = View.of(c.settings());
    View y = View.of(c.y());
    for (int r = 0; r < c.x().size(0); r++) {
      double[] row = x.row(r * c.x().stride(0), c.x().size(1));
      long[] numbers = new long[Sample.SETTINGS];
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = settings.getLong((long) r * Sample.SETTINGS + i);
      }
      y.setLong(r, choose(row, (float) temperature.get(r), numbers));
    }
  }

  private static int choose(double[] row, float temperature, long... settings) {
    List<Integer> falling = ReductionReference.falling(row);
    double largest = row[falling.getFirst()];
    if (Double.isNaN(largest) || largest == Double.NEGATIVE_INFINITY) {
      return -1;
    }
    if (temperature == 0) {
      return falling.getFirst();
    }
    float[] scores = new float[row.length];
    for (int i = 0; i < row.length; i++) {
      scores[i] = (float) row[i] / temperature;
    }
    float most = scores[falling.getFirst()];
    float least = Float.NEGATIVE_INFINITY;
    if (settings[0] > 0 && settings[0] <= row.length) {
      least = scores[falling.get((int) settings[0] - 1)];
    }
    long[] weights = new long[row.length];
    for (int i = 0; i < row.length; i++) {
      double difference = scores[i] == most ? 0 : (double) scores[i] - most;
      weights[i] = scores[i] < least ? 0 : Sample.weight(difference);
    }
    leaveOut(scores, weights, Math.unsignedMultiplyHigh(settings[1], sum(weights)));
    for (int i = 0; i < row.length; i++) {
      weights[i] = weights[i] < settings[2] ? 0 : weights[i];
    }
    long drawn = Math.unsignedMultiplyHigh(settings[3], sum(weights));
    int at = 0;
    for (long sum = weights[0]; sum <= drawn; sum += weights[at]) {
      at++;
    }
    return at;
  }

  /** Leaves out the least elements, whose weights do not exceed a sum. */
  private static void leaveOut(float[] scores, long[] weights, long most) {
    Comparator<Integer> rising =
        (i, j) -> scores[i] == scores[j] ? 0 : Float.compare(scores[i], scores[j]);
    long sum = 0;
    for (int i : IntStream.range(0, scores.length).boxed().sorted(rising).toList()) {
      sum += weights[i];
      if (sum > most) {
        return;
      }
      weights[i] = 0;
    }
  }

  private static long sum(long... weights) {
    long sum = 0;
    for (long weight : weights) {
      sum += weight;
    }
    return sum;
  }
}
