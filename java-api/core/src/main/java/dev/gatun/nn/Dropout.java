package dev.gatun.nn;

import dev.gatun.autograd.Tape;
import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Tensor;

/**
 * Random dropping of numbers at a place of a model (Srivastava et al., JMLR 2014): what stays grows
 * by {@code 1 / (1 - probability)}. It drops while this thread's tape {@link Tape#withSeed has a
 * seed}, which training gives it, and else is nothing.
 *
 * @param probability of a number to be dropped, from 0 to below 1
 */
public record Dropout(float probability) {
  /** Drops nothing. */
  public static final Dropout NONE = new Dropout(0);

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException for another probability
   */
  public Dropout {
    if (!(probability >= 0 && probability < 1)) {
      throw new IllegalArgumentException(
          "dropout: probability is %s, expected 0 to below 1".formatted(probability));
    }
  }

  /**
   * Drops some of the numbers.
   *
   * @param x of any shape
   * @return a new tensor of x's shape; x itself where nothing drops
   */
  public Tensor forward(Tensor x) {
    return Elementwise.dropout(x, mask());
  }

  /**
   * {@return the mask of one use, for ops that drop by themselves; that of nothing where nothing
   * drops} Each call takes another seed of the tape.
   */
  public dev.gatun.kernels.api.call.attention.Dropout mask() {
    Tape tape = Tape.recording();
    return tape == null || probability == 0 || !tape.hasSeed()
        ? dev.gatun.kernels.api.call.attention.Dropout.NONE
        : new dev.gatun.kernels.api.call.attention.Dropout(probability, tape.nextSeed());
  }
}
