package dev.gatun.kernels.api.call.elementwise;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * {@code y = a op b} with NumPy's broadcasting: axes are matched from the last on, and one that a
 * or b lacks, or has of length 1, is repeated. Floats are computed in float and rounded once, a
 * root before the division too; whole numbers modulo 2 to the power of their bits, as two's
 * complement is.
 *
 * @param a F32, BF16 or F16, or where the op takes whole numbers I64, I32, I8 or U8; of at most 6
 *     axes, any strides; given back in y's shape
 * @param b of a's dtype, otherwise as a
 * @param op what to make of two elements
 * @param y of a's dtype and at most 6 axes, any strides that keep its elements apart; may be a or b
 */
public record Elementwise(Operand a, Operand b, BinaryOp op, Operand y) implements ElementwiseCall {
  private static final String NAME = "elementwise";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public Elementwise {
    Checks.required(NAME, "op", op);
    DType dtype = Cast.number(NAME, "y", y);
    if (!(Cast.isWhole(dtype) ? op.takesWhole() : op.takesFloats())) {
      throw Checks.bad(NAME, "y is %s, expected %s for %s", y, Cast.types(op.takesFloats()), op);
    }
    Checks.apart(NAME, "y", y);
    a = Checks.expanded(NAME, "a", a, dtype, y);
    b = Checks.expanded(NAME, "b", b, dtype, y);
    Checks.disjoint(new Operands(NAME, Checks.present(a, b), Checks.present(y)), a, b);
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
