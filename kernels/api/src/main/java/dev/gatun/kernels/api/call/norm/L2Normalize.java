package dev.gatun.kernels.api.call.norm;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * {@code y = x / max(‖x‖₂, eps)} for each row, as PyTorch's {@code normalize}.
 *
 * @param x F32, BF16 or F16 [rows, columns] contiguous
 * @param eps the smallest divisor, not negative
 * @param y of x's dtype [rows, columns] contiguous; may be x
 */
public record L2Normalize(Operand x, float eps, Operand y) implements NormCall {

  private static final String NAME = "l2_normalize";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public L2Normalize {
    DType dtype = Checks.floats(NAME, "x", x);
    Checks.operand(NAME, "x", x, dtype, 2);
    Checks.contiguous(NAME, "x", x);
    Checks.shaped(NAME, "y", y, dtype, x.size(0), x.size(1));
    Checks.contiguous(NAME, "y", y);
    if (!(eps >= 0)) {
      throw Checks.bad(NAME, "eps is %s, expected 0 or more", eps);
    }
    Checks.disjoint(new Operands(NAME, Checks.present(x), Checks.present(y)), x);
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(x);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(y);
  }
}
