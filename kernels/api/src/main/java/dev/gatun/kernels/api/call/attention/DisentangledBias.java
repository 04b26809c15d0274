package dev.gatun.kernels.api.call.attention;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * The relative part of DeBERTa's attention scores (He et al., arXiv 2006.03654 and 2111.09543):
 *
 * <pre>bias[b, h, i, j] = scale (c2p[h, o + i, clamp(span + d)] + p2c[h, o + j, clamp(span - e)])
 * </pre>
 *
 * with {@code o} the sequence's first token, {@code d = bucket(pᵢ - pⱼ)}, {@code e = bucket(pⱼ -
 * pᵢ)}, p the positions, and both indices clamped to [0, 2 span - 1]. The bucket of a distance x is
 * x itself when buckets is 0 or |x| ≤ mid with {@code mid = buckets / 2}, else {@code sign(x)
 * (⌈ln(|x| / mid) / ln((maxPosition - 1) / mid) (mid - 1)⌉ + mid)}.
 *
 * @param c2p content to position, F32 [heads, tokens, 2 span] contiguous; or null
 * @param p2c position to content, F32 [heads, tokens, 2 span] contiguous; or null
 * @param offsets the sequences
 * @param positions I64 [tokens] contiguous
 * @param span the largest relative position
 * @param buckets the number of buckets, 0 for none
 * @param maxPosition the distance that the last bucket begins at
 * @param scale factor of the sum
 * @param bias F32 [sequences, heads, longest, longest] contiguous; only the part of each sequence
 *     is written
 */
public record DisentangledBias(
    Operand c2p,
    Operand p2c,
    Offsets offsets,
    Operand positions,
    long span,
    long buckets,
    long maxPosition,
    float scale,
    Operand bias)
    implements AttentionCall {

  private static final String NAME = "disentangled_bias";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public DisentangledBias {
    Checks.required(NAME, "offsets", offsets);
    if (span < 1
        || buckets < 0
        || buckets == 1
        || (buckets > 0 && maxPosition <= buckets / 2 + 1)) {
      throw Checks.bad(
          NAME,
          "span %d, buckets %d, max position %d: expected a positive span, and buckets of 0 or from"
              + " 2 to below 2 (max position - 1)",
          span,
          buckets,
          maxPosition);
    }
    if (c2p == null && p2c == null) {
      throw Checks.bad(NAME, "c2p and p2c are both missing");
    }
    Checks.operand(NAME, "bias", bias, DType.F32, 4);
    long heads = bias.size(1);
    Checks.shaped(
        NAME,
        "bias",
        bias,
        DType.F32,
        offsets.sequences(),
        heads,
        offsets.longest(),
        offsets.longest());
    Checks.contiguous(NAME, "bias", bias);
    if (c2p != null) {
      Checks.shaped(NAME, "c2p", c2p, DType.F32, heads, offsets.tokens(), 2 * span);
      Checks.contiguous(NAME, "c2p", c2p);
    }
    if (p2c != null) {
      Checks.shaped(NAME, "p2c", p2c, DType.F32, heads, offsets.tokens(), 2 * span);
      Checks.contiguous(NAME, "p2c", p2c);
    }
    Checks.shaped(NAME, "positions", positions, DType.I64, offsets.tokens());
    Checks.contiguous(NAME, "positions", positions);
    Checks.disjoint(
        new Operands(
            NAME, Checks.present(c2p, p2c, offsets.values(), positions), Checks.present(bias)));
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(c2p, p2c, offsets.values(), positions);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(bias);
  }
}
