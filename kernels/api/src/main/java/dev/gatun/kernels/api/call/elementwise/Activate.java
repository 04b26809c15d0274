package dev.gatun.kernels.api.call.elementwise;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * An activation function of each element: {@code y = activation(x)}.
 *
 * @param x F32, BF16 or F16 [rows, columns] contiguous
 * @param activation the function
 * @param y of x's dtype [rows, columns] contiguous; may be x
 */
public record Activate(Operand x, Activation activation, Operand y) implements ElementwiseCall {

  private static final String NAME = "activation";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public Activate {
    Checks.required(NAME, "activation", activation);
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
