package dev.gatun.models;

/**
 * What a loss is a mean over where a training step has several batches: counted over all of them,
 * so that the sum of their losses is the loss of all as one batch, however uneven they are.
 *
 * @param items what has a label that counts: tokens, or sequences where these have one each; where
 *     labels have weights, the sum of these
 * @param sequences of all batches
 * @param batches how many there are; what a router adds to a loss is a mean over them
 */
public record LossCounts(double items, long sequences, long batches) {
  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException for a number that is negative, and for no batch
   */
  public LossCounts {
    if (!(items >= 0) || sequences < 0 || batches < 1) {
      throw new IllegalArgumentException(
          "loss: %s items in %d sequences of %d batches, expected numbers from 0, and a batch"
              .formatted(items, sequences, batches));
    }
  }

  /**
   * {@return the counts of both}
   *
   * @param other of other batches of the same step
   */
  public LossCounts plus(LossCounts other) {
    return new LossCounts(
        items + other.items, sequences + other.sequences, batches + other.batches);
  }
}
