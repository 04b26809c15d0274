package dev.gatun.kernels.api.call.elementwise;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * {@code y = condition ? a : b} with NumPy's broadcasting as in {@link Elementwise}: the bits of
 * the one element, whatever the other is.
 *
 * @param condition BOOL or U8 of at most 6 axes, any strides; true where it is not 0; given back in
 *     y's shape, as a and b
 * @param a of any dtype, at most 6 axes, any strides
 * @param b of a's dtype, otherwise as a
 * @param y of a's dtype and at most 6 axes, any strides that keep its elements apart; may be a or b
 */
public record Where(Operand condition, Operand a, Operand b, Operand y) implements ElementwiseCall {
  private static final String NAME = "where";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public Where {
    Checks.apart(NAME, "y", y);
    DType told = Checks.required(NAME, "condition", condition).dtype();
    if (told != DType.BOOL && told != DType.U8) {
      throw Checks.bad(NAME, "condition is %s, expected BOOL or U8", condition);
    }
    condition = Checks.expanded(NAME, "condition", condition, told, y);
    a = Checks.expanded(NAME, "a", a, y.dtype(), y);
    b = Checks.expanded(NAME, "b", b, y.dtype(), y);
    Checks.disjoint(new Operands(NAME, Checks.present(condition, a, b), Checks.present(y)), a, b);
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(condition, a, b);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(y);
  }
}
