package dev.gatun.kernels.api.call.attention;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.memory.Operand;

/**
 * What becomes of a score before the mask: {@code score = cap(scale · query · key) + bias - slope ·
 * |distance|}.
 *
 * @param scale the factor, usually 1/√head_size
 * @param softcap {@code cap(s) = softcap · tanh(s / softcap)} (Gemma 2, arXiv 2408.00118); 0 for
 *     none
 * @param bias F32 [batch or 1, heads or 1, query_length or 1, key_length or 1]; or null
 * @param slopes F32 [heads] contiguous, the slopes of ALiBi (Press et al., arXiv 2108.12409), the
 *     distance being that between a key and where its query stands; or null
 * @param sinks F32 [heads] contiguous, logits that the denominator has besides those of the keys
 *     (Xiao et al., arXiv 2309.17453); or null
 */
public record AttentionScores(
    float scale, float softcap, Operand bias, Operand slopes, Operand sinks) {
  private static final String NAME = "attention scores";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public AttentionScores {
    if (Float.isNaN(scale) || Float.isInfinite(scale)) {
      throw Checks.bad(NAME, "scale is %s, expected a finite number", scale);
    }
    if (!(softcap >= 0) || Float.isInfinite(softcap)) {
      throw Checks.bad(NAME, "softcap is %s, expected 0 or a positive number", softcap);
    }
  }

  /**
   * {@return scores that are scaled and no more}
   *
   * @param scale what scores are multiplied by
   */
  public static AttentionScores scaled(float scale) {
    return new AttentionScores(scale, 0, null, null, null);
  }

  /**
   * {@return scores that are scaled, with a bias or null}
   *
   * @param scale the factor, usually 1/√head_size
   * @param bias F32 [batch or 1, heads or 1, query_length or 1, key_length or 1]; or null
   */
  public static AttentionScores scaled(float scale, Operand bias) {
    return new AttentionScores(scale, 0, bias, null, null);
  }
}
