package dev.gatun.kernels.api.call.reduction;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * {@code y[o, i] = reduction of x[o, 0 ... reduced - 1, i]}, in float, rounded once. The sum of
 * nothing is 0; the others need an element.
 *
 * @param x F32, BF16 or F16 [outer, reduced, inner], any strides
 * @param reduction what to make of the elements
 * @param y F32 or of x's dtype, [outer, inner] contiguous
 */
public record Reduce(Operand x, Reduction reduction, Operand y) implements ReductionCall {
  private static final String NAME = "reduce";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public Reduce {
    Checks.required(NAME, "reduction", reduction);
    DType dtype = Checks.floats(NAME, "x", x);
    Checks.operand(NAME, "x", x, dtype, 3);
    DType result = Checks.floats(NAME, "y", y);
    if (result != dtype && result != DType.F32) {
      throw Checks.bad(NAME, "y is %s, expected F32 or %s", y, dtype);
    }
    Checks.shaped(NAME, "y", y, result, x.size(0), x.size(2));
    Checks.contiguous(NAME, "y", y);
    if (x.size(1) == 0 && reduction != Reduction.SUM) {
      throw Checks.bad(NAME, "x is %s, there is no %s of nothing", x, reduction);
    }
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
