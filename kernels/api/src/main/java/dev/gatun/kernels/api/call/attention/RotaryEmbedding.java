package dev.gatun.kernels.api.call.attention;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * Rotary position embedding (Su et al., arXiv 2104.09864): rotates pairs of the first {@code
 * rotary} elements of each head, {@code (a, b)} to {@code (a cos - b sin, b cos + a sin)} with the
 * cosine and sine of the token's position. Pairs are (i, i + rotary / 2), or (2i, 2i + 1) when
 * interleaved; the elements from rotary on are copied. Computed in float and rounded once.
 *
 * @param x F32, BF16 or F16 [tokens, heads, head_size], heads and elements without gaps
 * @param cosine F32 [positions, rotary / 2] contiguous
 * @param sine F32 [positions, rotary / 2] contiguous
 * @param positions I64 [tokens] contiguous, each from 0 to positions - 1
 * @param interleaved which elements are pairs
 * @param y of x's dtype [tokens, heads, head_size], heads and elements without gaps; may be x
 */
public record RotaryEmbedding(
    Operand x, Operand cosine, Operand sine, Indices positions, boolean interleaved, Operand y)
    implements AttentionCall {

  private static final String NAME = "rotary_embedding";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public RotaryEmbedding {
    DType dtype = Checks.floats(NAME, "x", x);
    Checks.operand(NAME, "x", x, dtype, 3);
    Checks.rotaryTables(NAME, cosine, sine, "x", x);
    Checks.indices(NAME, "positions", positions, cosine.size(0), x.size(0));
    Checks.shaped(NAME, "y", y, dtype, x.size(0), x.size(1), x.size(2));
    Checks.heads(NAME, "x", x);
    Checks.heads(NAME, "y", y);
    Checks.disjoint(
        new Operands(NAME, Checks.present(x, cosine, sine, positions.values()), Checks.present(y)),
        x);
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(x, cosine, sine, positions.values());
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(y);
  }
}
