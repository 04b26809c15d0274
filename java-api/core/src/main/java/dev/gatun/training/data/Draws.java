package dev.gatun.training.data;

import dev.gatun.generation.Philox;

/**
 * The random numbers of one sample in one epoch: the n-th is a function of the seed, the epoch, the
 * sample and n, by Philox4x32-10. Not for use by several threads.
 */
public final class Draws {
  private static final long NO_SAMPLE = -1;

  private final long seed;
  private final long epoch;
  private final long sample;
  private int drawn;

  /**
   * The numbers of a sample, from the first.
   *
   * @param seed of the run
   * @param epoch from 0; -1 for evaluations, whose samples are always the same
   * @param sample its number in the data, from 0
   */
  public Draws(long seed, int epoch, long sample) {
    this.seed = seed;
    this.epoch = epoch;
    this.sample = sample;
  }

  /** {@return the next number of [0, 1)} */
  public double uniform() {
    return Philox.uniform(seed, sample, epoch << 32 | drawn++);
  }

  /**
   * {@return the next number of 0 to below {@code bound}}
   *
   * @param bound at least 1, which is not checked
   */
  public int below(int bound) {
    return (int) (uniform() * bound);
  }

  /**
   * {@return a number of 0 to below {@code bound} that the samples of an epoch have in common; 0 in
   * the first epoch, and in evaluations}
   */
  int ofEpoch(int bound) {
    return epoch <= 0 ? 0 : (int) (Philox.uniform(seed, NO_SAMPLE, epoch << 32) * bound);
  }

  /**
   * Puts numbers in another order, each as likely.
   *
   * @param numbers changed in place
   */
  public void shuffle(int... numbers) {
    for (int i = numbers.length - 1; i > 0; i--) {
      int other = below(i + 1);
      int kept = numbers[i];
      numbers[i] = numbers[other];
      numbers[other] = kept;
    }
  }
}
