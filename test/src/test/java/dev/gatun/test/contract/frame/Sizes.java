package dev.gatun.test.contract.frame;

import java.util.Arrays;
import java.util.Random;

/** Sizes that find mistakes: 0, 1, and those around vectors, tiles and panels. */
public final class Sizes {
  private static final int[] EDGES = {
    0, 1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 96, 100
  };

  private Sizes() {}

  /** One of the edges up to a limit. */
  public static int any(Random random, int limit) {
    int size;
    do {
      size = EDGES[random.nextInt(EDGES.length)];
    } while (size > limit);
    return size;
  }

  /** One of the edges up to a limit, not 0. */
  public static int some(Random random, int limit) {
    return Math.max(1, any(random, limit));
  }

  /** Up to so many axes of edges, of at most so many elements in all; some have a 0. */
  public static long[] shape(Random random, int axes, int most) {
    long[] shape = new long[random.nextInt(axes + 1)];
    Arrays.fill(shape, 1);
    int rest = most;
    for (int tries = 0; tries < shape.length; tries++) {
      int axis = random.nextInt(shape.length);
      if (shape[axis] == 1) {
        shape[axis] = some(random, rest);
        rest /= (int) shape[axis];
      }
    }
    if (shape.length > 0 && random.nextInt(15) == 0) {
      shape[random.nextInt(shape.length)] = 0;
    }
    return shape;
  }

  /** Lengths of the sequences of a ragged batch. */
  public static int[] lengths(Random random, int sequences, int limit) {
    int[] lengths = new int[sequences];
    Arrays.setAll(lengths, i -> any(random, limit));
    return lengths;
  }
}
