package dev.gatun.kernels.api.call.elementwise;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * The same numbers in another floating-point type, rounded to nearest even; too large for the type
 * gives infinity, NaN stays NaN.
 *
 * @param x F32, BF16 or F16 [rows, columns] contiguous
 * @param y F32, BF16 or F16 [rows, columns] contiguous
 */
public record Cast(Operand x, Operand y) implements KernelCall {
  private static final String NAME = "cast";

  public Cast {
    Checks.operand(NAME, "x", x, Checks.floats(NAME, "x", x), 2);
    Checks.contiguous(NAME, "x", x);
    Checks.shaped(NAME, "y", y, Checks.floats(NAME, "y", y), x.size(0), x.size(1));
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
