package dev.gatun.kernels.api.call.reduction;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * Sums or products of the elements up to each: {@code y[o, n, i] = x[o, 0, i] op ... op x[o, n,
 * i]}, floats in double, each result rounded once; whole numbers modulo 2^64.
 *
 * @param x F32, BF16, F16 or I64 [outer, length, inner], any strides
 * @param op what to make of the elements
 * @param y of x's dtype and shape, contiguous
 */
public record Scan(Operand x, ScanOp op, Operand y) implements ReductionCall {
  private static final String NAME = "scan";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public Scan {
    Checks.required(NAME, "op", op);
    DType dtype = Checks.required(NAME, "x", x).dtype();
    switch (dtype) {
      case F32, BF16, F16, I64 -> {}
      default -> throw Checks.bad(NAME, "x is %s, expected F32, BF16, F16 or I64", x);
    }
    Checks.operand(NAME, "x", x, dtype, 3);
    Checks.shaped(NAME, "y", y, dtype, x.shape());
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
