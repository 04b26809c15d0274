package dev.gatun.kernels.api.call.elementwise;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * Whether two numbers compare so, 1 or 0 each, with NumPy's broadcasting as in {@link Elementwise}.
 * Whole numbers are compared as they are.
 *
 * @param a F32, BF16, F16, I64, I32, I8 or U8 of at most 6 axes, any strides; given back in y's
 *     shape
 * @param b of a's dtype, otherwise as a
 * @param comparison what is asked of them
 * @param y BOOL of at most 6 axes, any strides that keep its elements apart
 */
public record Compare(Operand a, Operand b, Comparison comparison, Operand y)
    implements ElementwiseCall {
  private static final String NAME = "compare";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public Compare {
    Checks.required(NAME, "comparison", comparison);
    DType dtype = Cast.number(NAME, "a", a);
    Checks.apart(NAME, "y", y);
    if (y.dtype() != DType.BOOL) {
      throw Checks.bad(NAME, "y is %s, expected BOOL", y);
    }
    a = Checks.expanded(NAME, "a", a, dtype, y);
    b = Checks.expanded(NAME, "b", b, dtype, y);
    Checks.disjoint(new Operands(NAME, Checks.present(a, b), Checks.present(y)));
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(a, b);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(y);
  }
}
