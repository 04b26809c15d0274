package dev.gatun.kernels.api.call.experts;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * What a mixture gives for each token, of what its experts gave: {@code y[t, n] = residual[t, n] +
 * Σᵢ weights[t, i] x[places[t, i], n]}, in F32, i in its order. A slot whose place is -1 was
 * dropped and adds nothing.
 *
 * <p>Places are -1 or rows of x. Others are an error where the processor computes, and add nothing
 * on a device, which is not waited for.
 *
 * @param x F32, BF16 or F16 [places, columns], rows without gaps inside
 * @param weights F32 [tokens, k] contiguous
 * @param places I32 [tokens, k] contiguous, as {@link ExpertRouting} gives them
 * @param residual of y's dtype and shape, rows without gaps inside, or null for none; may be y
 * @param y F32, BF16 or F16 [tokens, columns], rows without gaps inside
 */
public record ExpertCombine(Operand x, Operand weights, Operand places, Operand residual, Operand y)
    implements ExpertCall {
  private static final String NAME = "expert_combine";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public ExpertCombine {
    Checks.operand(NAME, "x", x, Checks.floats(NAME, "x", x), 2);
    Checks.rows(NAME, "x", x);
    if (x.size(0) > Integer.MAX_VALUE) {
      throw Checks.bad(NAME, "x is %s, expected fewer than 2^31 rows", x);
    }
    Checks.operand(NAME, "weights", weights, DType.F32, 2);
    Checks.contiguous(NAME, "weights", weights);
    Checks.shaped(NAME, "places", places, DType.I32, weights.size(0), weights.size(1));
    Checks.contiguous(NAME, "places", places);
    DType dtype = Checks.floats(NAME, "y", y);
    Checks.shaped(NAME, "y", y, dtype, weights.size(0), x.size(1));
    Checks.rows(NAME, "y", y);
    if (y.size(0) > 1 && y.stride(0) < y.size(1)) {
      throw Checks.bad(NAME, "y %s has overlapping rows, stride %d", y, y.stride(0));
    }
    if (residual != null) {
      Checks.shaped(NAME, "residual", residual, dtype, y.size(0), y.size(1));
      Checks.rows(NAME, "residual", residual);
    }
    Checks.disjoint(
        new Operands(NAME, Checks.present(x, weights, places, residual), List.of(y)), residual);
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(x, weights, places, residual);
  }

  @Override
  public List<Operand> outputs() {
    return List.of(y);
  }
}
