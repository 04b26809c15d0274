package dev.gatun.test.contract;

import java.util.Arrays;
import java.util.Random;

/** Sizes that find mistakes: 0, 1, and those around vectors, tiles and panels. */
final class Sizes {
  private static final int[] EDGES = {
    0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 96, 100
  };

  private Sizes() {}

  /** One of the edges up to a limit. */
  static int any(Random random, int limit) {
    int size;
    do {
      size = EDGES[random.nextInt(EDGES.length)];
    } while (size > limit);
    return size;
  }

  /** One of the edges up to a limit, not 0. */
  static int some(Random random, int limit) {
    return Math.max(1, any(random, limit));
  }

  /** Lengths of the sequences of a ragged batch. */
  static int[] lengths(Random random, int sequences, int limit) {
    int[] lengths = new int[sequences];
    Arrays.setAll(lengths, i -> any(random, limit));
    return lengths;
  }
}
