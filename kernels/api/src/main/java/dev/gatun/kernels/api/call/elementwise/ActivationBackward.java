package dev.gatun.kernels.api.call.elementwise;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * The gradient of {@link Activate}: {@code dx = dy · activation'(x)}, at infinities by the
 * derivative's limits; that of {@link Activation#RELU} at 0 is 0. Computed in float and rounded
 * once.
 *
 * @param dy F32, BF16 or F16 [rows, columns] contiguous
 * @param x what the activation was of, of dy's dtype and shape, contiguous
 * @param activation the function
 * @param dx of dy's dtype [rows, columns] contiguous; may be dy or x
 */
public record ActivationBackward(Operand dy, Operand x, Activation activation, Operand dx)
    implements ElementwiseCall {
  private static final String NAME = "activation_backward";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public ActivationBackward {
    Checks.required(NAME, "activation", activation);
    DType dtype = Checks.floats(NAME, "dy", dy);
    Checks.operand(NAME, "dy", dy, dtype, 2);
    Checks.contiguous(NAME, "dy", dy);
    Checks.shaped(NAME, "x", x, dtype, dy.size(0), dy.size(1));
    Checks.contiguous(NAME, "x", x);
    Checks.shaped(NAME, "dx", dx, dtype, dy.size(0), dy.size(1));
    Checks.contiguous(NAME, "dx", dx);
    Checks.disjoint(new Operands(NAME, Checks.present(dy, x), Checks.present(dx)), dy, x);
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(dy, x);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(dx);
  }
}
