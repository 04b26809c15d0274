package dev.gatun.training.data;

import dev.gatun.generation.Philox;

/**
 * The order in which an epoch goes through its samples: a permutation that is a function of the
 * seed and the epoch, each place of which is computed by itself. A Feistel network over the next
 * power of four, with Philox as its rounds' function, walked until it lands among the samples
 * (Black and Rogaway, Ciphers with arbitrary finite domains, 2002).
 */
public final class SampleOrder {
  private static final int ROUNDS = 8;
  // Tells these numbers from those that samples draw.
  private static final long PURPOSE = 1L << 63;

  private final long seed;
  private final int size;
  private final int half;

  /**
   * Orders of samples.
   *
   * @param seed of the run
   * @param size how many samples there are, at least one
   */
  public SampleOrder(long seed, int size) {
    if (size < 1) {
      throw new IllegalArgumentException("order: %d samples, expected at least 1".formatted(size));
    }
    this.seed = seed;
    this.size = size;
    this.half = Math.max(1, (33 - Integer.numberOfLeadingZeros(size - 1)) / 2);
  }

  /**
   * {@return the sample at a place of an epoch, from 0}
   *
   * @param epoch from 0
   * @param place from 0 to below the number of samples
   * @throws IllegalArgumentException for another place
   */
  public int at(int epoch, int place) {
    if (place < 0 || place >= size) {
      throw new IllegalArgumentException(
          "order: place %d is outside of 0 to %d".formatted(place, size - 1));
    }
    long x = place;
    do {
      x = permuted(epoch, x);
    } while (x >= size);
    return (int) x;
  }

  private long permuted(int epoch, long x) {
    long mask = (1L << half) - 1;
    long left = x >>> half;
    long right = x & mask;
    for (int round = 0; round < ROUNDS; round++) {
      long mixed = Philox.bits(seed, right, PURPOSE | (long) epoch << 8 | round);
      long next = left ^ (mixed & mask);
      left = right;
      right = next;
    }
    return left << half | right;
  }
}
