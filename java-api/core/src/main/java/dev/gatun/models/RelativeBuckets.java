package dev.gatun.models;

/**
 * The bucket of a key's position less its query's (Raffel et al., arXiv 1910.10683): short
 * distances have their own, longer ones share some by their logarithm, those from a largest on the
 * last. Keys in front have the other half where queries see both ways, and the first where they do
 * not.
 */
final class RelativeBuckets {
  private final boolean bothWays;
  private final int half;
  private final long[] behind;

  /**
   * @param bothWays whether queries see keys in front
   * @param buckets of all distances
   * @param maxDistance from which on all have the last one
   */
  RelativeBuckets(boolean bothWays, int buckets, int maxDistance) {
    this.bothWays = bothWays;
    this.half = bothWays ? buckets / 2 : buckets;
    this.behind = new long[maxDistance + 1];
    int exact = half / 2;
    for (int n = 0; n <= maxDistance; n++) {
      behind[n] = n < exact ? n : Math.min(exact + shared(n, exact, maxDistance), half - 1);
    }
  }

  /** In float, as the reference has it: a bucket more or less is another number. */
  private long shared(int n, int exact, int maxDistance) {
    float share =
        (float) Math.log(n / (float) exact) / (float) Math.log(maxDistance / (double) exact);
    return (long) (share * (half - exact));
  }

  long of(long distance) {
    if (distance > 0) {
      return bothWays ? half + behind[(int) Math.min(distance, behind.length - 1)] : 0;
    }
    return behind[(int) Math.min(-distance, behind.length - 1)];
  }
}
