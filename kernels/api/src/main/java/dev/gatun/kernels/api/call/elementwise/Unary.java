package dev.gatun.kernels.api.call.elementwise;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * A function of mathematics of each element, {@code y = op(x)}, x being repeated by NumPy's
 * broadcasting as in {@link Elementwise}. Floats are rounded once, to within two units in the last
 * place of a float on the processor, four on CUDA; subnormal ones may be 0 on CUDA. Whole numbers
 * are taken modulo 2 to the power of their bits, so that the least of a signed type is its own
 * absolute value. {@link Activate} has tanh, the logistic function and what neural networks make of
 * them.
 *
 * @param x F32, BF16 or F16, or where the op takes whole numbers I64, I32, I8 or U8; of at most 6
 *     axes, any strides; given back in y's shape
 * @param op the function
 * @param y of x's dtype and at most 6 axes, any strides that keep its elements apart; may be x
 */
public record Unary(Operand x, UnaryOp op, Operand y) implements ElementwiseCall {
  private static final String NAME = "unary";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public Unary {
    Checks.required(NAME, "op", op);
    DType dtype = Cast.number(NAME, "y", y);
    if (Cast.isWhole(dtype) && !op.takesWhole()) {
      throw Checks.bad(NAME, "y is %s, expected %s for %s", y, Cast.types(true), op);
    }
    Checks.apart(NAME, "y", y);
    x = Checks.expanded(NAME, "x", x, dtype, y);
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
