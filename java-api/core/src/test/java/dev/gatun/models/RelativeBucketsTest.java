package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class RelativeBucketsTest {
  /**
   * What {@code T5Attention._relative_position_bucket} of transformers 5.18 gives for the distances
   * from -40 to 38, every third.
   */
  @ParameterizedTest
  @CsvSource({
    "true, 7, 20, 2 2 2 2 2 2 2 2 2 2 2 2 1 1 4 5 5 5 5 5 5 5 5 5 5 5 5",
    "true, 9, 33, 3 3 3 3 3 3 3 3 3 3 3 2 2 1 6 6 6 7 7 7 7 7 7 7 7 7 7",
    "false, 7, 20, 6 6 6 6 6 6 6 6 6 6 5 4 3 1 0 0 0 0 0 0 0 0 0 0 0 0 0",
    "false, 5, 64, 4 4 4 4 4 4 4 3 3 3 3 3 2 1 0 0 0 0 0 0 0 0 0 0 0 0 0"
  })
  void an_odd_number_leaves_the_last_one_unused_where_queries_see_both_ways(
      boolean bothWays, int count, int maxDistance, String want) {
    RelativeBuckets buckets = new RelativeBuckets(bothWays, count, maxDistance);
    assertEquals(
        want,
        IntStream.range(0, 27)
            .mapToObj(i -> Long.toString(buckets.of(3L * i - 40)))
            .collect(Collectors.joining(" ")));
  }
}
