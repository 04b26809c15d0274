package dev.gatun.kernels.api.call.reduction;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * The place of the largest element of each row, the first one where they are equal. NaN counts as
 * the largest, as in PyTorch.
 *
 * @param x F32, BF16 or F16 [rows, columns], at least one column, rows without gaps inside
 * @param y I64 [rows] contiguous
 */
public record ArgMax(Operand x, Operand y) implements ReductionCall {
  private static final String NAME = "argmax";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public ArgMax {
    Checks.operand(NAME, "x", x, Checks.floats(NAME, "x", x), 2);
    Checks.rows(NAME, "x", x);
    if (x.size(1) == 0) {
      throw Checks.bad(NAME, "x is %s, expected at least one column", x);
    }
    Checks.shaped(NAME, "y", y, DType.I64, x.size(0));
    Checks.contiguous(NAME, "y", y);
    Checks.disjoint(new Operands(NAME, Checks.present(x), Checks.present(y)));
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
