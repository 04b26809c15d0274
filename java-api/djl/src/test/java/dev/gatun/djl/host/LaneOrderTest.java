package dev.gatun.djl.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Orders beside those of the JDK's stable sort of places. */
final class LaneOrderTest {
  private static final double[] EDGES = {
    0.0, -0.0, Double.NaN, Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY, Double.MIN_VALUE, 1
  };

  private final Random random = new Random(7);

  @Test
  void floats_of_all_kinds_and_equal_ones() {
    for (int length = 0; length < 300; length++) {
      double[] lane = new double[length];
      for (int i = 0; i < length; i++) {
        lane[i] =
            switch (random.nextInt(3)) {
              case 0 -> EDGES[random.nextInt(EDGES.length)];
              case 1 -> (float) random.nextGaussian();
              default -> random.nextInt(5) - 2;
            };
      }
      Comparator<Integer> rising = (a, b) -> Double.compare(lane[a] + 0.0, lane[b] + 0.0);
      LaneOrder order = new LaneOrder(length);
      assertArrayEquals(sorted(length, rising), order.of(lane, false), "rising " + length);
      assertArrayEquals(
          sorted(length, rising.reversed()), order.of(lane, true), "falling " + length);
    }
  }

  @Test
  void whole_numbers_of_few_and_of_all_bits() {
    for (int length = 0; length < 300; length++) {
      boolean all = random.nextBoolean();
      long[] lane =
          IntStream.range(0, length)
              .mapToLong(i -> all ? random.nextLong() : random.nextInt(9) - 4)
              .toArray();
      Comparator<Integer> rising = (a, b) -> Long.compare(lane[a], lane[b]);
      LaneOrder order = new LaneOrder(length);
      assertArrayEquals(sorted(length, rising), order.of(lane, false), "rising " + length);
      assertArrayEquals(
          sorted(length, rising.reversed()), order.of(lane, true), "falling " + length);
    }
  }

  private static int[] sorted(int length, Comparator<Integer> by) {
    return IntStream.range(0, length).boxed().sorted(by).mapToInt(Integer::intValue).toArray();
  }
}
