package dev.gatun.training.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Each epoch has each sample once, in an order of its own. */
final class SampleOrderTest {
  private static int[] order(long seed, int epoch, int size) {
    SampleOrder order = new SampleOrder(seed, size);
    return IntStream.range(0, size).map(place -> order.at(epoch, place)).toArray();
  }

  @Test
  void each_sample_comes_once() {
    for (int size : new int[] {1, 2, 3, 4, 5, 16, 17, 63, 64, 65, 1000, 65_536, 65_537}) {
      for (int epoch = 0; epoch < 3; epoch++) {
        int[] sorted = order(7, epoch, size);
        Arrays.sort(sorted);
        assertTrue(Arrays.equals(IntStream.range(0, size).toArray(), sorted), size + " samples");
      }
    }
  }

  @Test
  void seeds_and_epochs_have_orders_of_their_own() {
    int[] first = order(7, 0, 100);
    assertTrue(Arrays.equals(first, order(7, 0, 100)));
    assertFalse(Arrays.equals(first, order(7, 1, 100)));
    assertFalse(Arrays.equals(first, order(8, 0, 100)));
    assertFalse(Arrays.equals(first, IntStream.range(0, 100).toArray()));
  }

  /** Over many epochs each sample is at each place about as often: chi-squared of 6 by 6. */
  @Test
  void places_are_even() {
    int size = 6;
    int epochs = 6000;
    int[][] counts = new int[size][size];
    for (int epoch = 0; epoch < epochs; epoch++) {
      int[] order = order(3, epoch, size);
      for (int place = 0; place < size; place++) {
        counts[place][order[place]]++;
      }
    }
    double expected = (double) epochs / size;
    double sum = 0;
    for (int[] row : counts) {
      for (int count : row) {
        sum += (count - expected) * (count - expected) / expected;
      }
    }
    // 25 degrees of freedom: above 60 by chance once in ten thousand.
    assertTrue(sum < 60, "chi-squared " + sum);
  }

  @Test
  void bad_places_and_sizes_are_refused() {
    assertThrows(IllegalArgumentException.class, () -> new SampleOrder(1, 0));
    SampleOrder order = new SampleOrder(1, 5);
    assertEquals(
        "order: place 5 is outside of 0 to 4",
        assertThrows(IllegalArgumentException.class, () -> order.at(0, 5)).getMessage());
  }
}
