package dev.gatun.kernels.api.call.norm;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * {@code y = exp(x) / Σ exp(x)} over each row, or its natural logarithm. A row of -∞ gives NaN, as
 * in PyTorch.
 *
 * @param x F32, BF16 or F16 [rows, columns] contiguous
 * @param log whether to give the logarithm
 * @param y of x's dtype [rows, columns] contiguous; may be x
 */
public record Softmax(Operand x, boolean log, Operand y) implements NormCall {

  private static final String NAME = "softmax";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public Softmax {
    DType dtype = Checks.floats(NAME, "x", x);
    Checks.operand(NAME, "x", x, dtype, 2);
    Checks.contiguous(NAME, "x", x);
    Checks.shaped(NAME, "y", y, dtype, x.size(0), x.size(1));
    Checks.contiguous(NAME, "y", y);
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
