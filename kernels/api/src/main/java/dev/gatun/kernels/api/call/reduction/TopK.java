package dev.gatun.kernels.api.call.reduction;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * The k largest elements of each row from the largest on, and their places; of equal ones the first
 * come first. NaN counts as the largest, as in PyTorch.
 *
 * @param x F32, BF16 or F16 [rows, columns], rows without gaps inside, below 2^32 columns
 * @param values of x's dtype [rows, k] contiguous, k at most columns
 * @param indices I64 [rows, k] contiguous
 */
public record TopK(Operand x, Operand values, Operand indices) implements ReductionCall {
  private static final String NAME = "topk";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public TopK {
    DType dtype = Checks.floats(NAME, "x", x);
    Checks.operand(NAME, "x", x, dtype, 2);
    Checks.rows(NAME, "x", x);
    if (x.size(1) >= 1L << 32) {
      throw Checks.bad(NAME, "x is %s, expected fewer than 2^32 columns", x);
    }
    Checks.operand(NAME, "values", values, dtype, 2);
    Checks.shaped(NAME, "values", values, dtype, x.size(0), values.size(1));
    if (values.size(1) > x.size(1)) {
      throw Checks.bad(NAME, "k is %d, expected 0 to the columns of x %s", values.size(1), x);
    }
    Checks.contiguous(NAME, "values", values);
    Checks.shaped(NAME, "indices", indices, DType.I64, x.size(0), values.size(1));
    Checks.contiguous(NAME, "indices", indices);
    Checks.disjoint(new Operands(NAME, Checks.present(x), Checks.present(values, indices)));
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
    return Checks.present(values, indices);
  }
}
