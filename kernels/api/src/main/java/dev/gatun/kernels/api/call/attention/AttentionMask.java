package dev.gatun.kernels.api.call.attention;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.memory.Operand;

/**
 * Which keys a query sees.
 *
 * @param causal the rule by position, and with it where query i stands among the keys: at key i
 *     itself, or at key {@code key_length - query_length + i} for {@link Causal#BOTTOM_RIGHT}
 * @param window the number of keys that a query sees back from where it stands, its own included,
 *     and without a causal rule as many ahead (Beltagy et al., arXiv 2004.05150); 0 for all
 * @param keys U8 [batch, key_length] contiguous, 0 where a key is not seen; or null
 */
public record AttentionMask(Causal causal, long window, Operand keys) {
  /** Every query sees every key. */
  public static final AttentionMask NONE = new AttentionMask(Causal.NONE, 0, null);

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public AttentionMask {
    Checks.required("attention mask", "causal", causal);
    if (window < 0) {
      throw Checks.bad("attention mask", "window is %d, expected 0 or more", window);
    }
  }

  /**
   * {@return a mask by position alone}
   *
   * @param causal which keys a query sees by its position
   */
  public static AttentionMask of(Causal causal) {
    return new AttentionMask(causal, 0, null);
  }

  /**
   * {@return a mask without a rule by position}
   *
   * @param keys U8 [batch, key_length] contiguous, 0 where a key is not seen
   */
  public static AttentionMask of(Operand keys) {
    return new AttentionMask(Causal.NONE, 0, keys);
  }
}
