package dev.gatun.kernels.api.call.attention;

import dev.gatun.kernels.api.checks.Checks;

/**
 * Random dropping of probabilities (Srivastava et al., JMLR 2014); what stays grows by {@code 1 /
 * (1 - probability)}. The mask is Philox4x32-10's (Salmon et al., SC 2011): with the counter (key,
 * query, head, batch), the seed as its key (low word first), an element is dropped when the first
 * word is below {@code probability · 2³²}.
 *
 * @param probability of dropping, from 0 to below 1; 0 drops nothing
 * @param seed the same seed gives the same mask on every backend
 */
public record Dropout(float probability, long seed) {
  /** Drops nothing. */
  public static final Dropout NONE = new Dropout(0, 0);

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public Dropout {
    if (!(probability >= 0 && probability < 1)) {
      throw Checks.bad("dropout", "probability is %s, expected 0 to below 1", probability);
    }
  }
}
