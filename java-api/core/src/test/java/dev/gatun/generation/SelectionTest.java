package dev.gatun.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Selections against sorting, with few different keys and many, sorted and constant ones. */
final class SelectionTest {
  private static float[] keys(Random random, int count) {
    float[] keys = new float[count];
    int kind = random.nextInt(4);
    for (int i = 0; i < count; i++) {
      keys[i] =
          switch (kind) {
            case 0 -> random.nextInt(5);
            case 1 -> 7;
            case 2 -> i;
            default -> (float) random.nextGaussian();
          };
    }
    return keys;
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void the_kth_largest_is_that_of_the_order(long seed) {
    Random random = new Random(seed);
    for (int round = 0; round < 300; round++) {
      int count = 1 + random.nextInt(200);
      float[] keys = keys(random, count);
      int k = 1 + random.nextInt(count);
      float[] sorted = keys.clone();
      Arrays.sort(sorted);
      assertEquals(sorted[count - k], Selection.kthLargest(keys, count, k));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void a_mass_is_crossed_where_sums_in_order_cross_it(long seed) {
    Random random = new Random(seed);
    for (int round = 0; round < 300; round++) {
      int count = 1 + random.nextInt(200);
      float[] keys = keys(random, count);
      long[] weights = random.longs(count, 0, 9).toArray();
      long mass = random.nextLong(Arrays.stream(weights).sum() + 8);
      int[] order =
          IntStream.range(0, count)
              .boxed()
              .sorted(Comparator.comparing(i -> keys[i]))
              .mapToInt(i -> i)
              .toArray();
      long sum = 0;
      float key = keys[order[count - 1]];
      for (int i : order) {
        sum += weights[i];
        if (sum > mass) {
          key = keys[i];
          break;
        }
      }
      long below = 0;
      for (int i : order) {
        below += keys[i] < key ? weights[i] : 0;
      }
      var crossing = Selection.crossing(keys, weights, count, mass);
      assertEquals(new Selection.Crossing(key, below), crossing);
    }
  }

  /** Sorted and constant keys are the worst of a quickselect with a bad pivot. */
  @ParameterizedTest
  @ValueSource(ints = {1, 1000})
  void large_inputs_take_linear_time(int distinct) {
    float[] keys = new float[300_000];
    for (int i = 0; i < keys.length; i++) {
      keys[i] = distinct == 1 ? 1 : i;
    }
    long start = System.nanoTime();
    Selection.kthLargest(keys, keys.length, 50);
    assertTrue(System.nanoTime() - start < 2_000_000_000L);
  }
}
