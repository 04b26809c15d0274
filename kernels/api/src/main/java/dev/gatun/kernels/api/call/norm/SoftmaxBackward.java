package dev.gatun.kernels.api.call.norm;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * The gradient of {@link Softmax} by its result: {@code dx = y · (dy - Σ dy · y)} over each row, or
 * of its logarithm {@code dx = dy - exp(y) · Σ dy}.
 *
 * @param dy the gradient of y, F32, BF16 or F16 [rows, columns] contiguous
 * @param y what the softmax gave, of dy's dtype [rows, columns] contiguous
 * @param log whether y is the logarithm
 * @param dx of dy's dtype [rows, columns] contiguous; may be dy or y
 */
public record SoftmaxBackward(Operand dy, Operand y, boolean log, Operand dx) implements NormCall {
  private static final String NAME = "softmax_backward";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public SoftmaxBackward {
    DType dtype = Checks.floats(NAME, "dy", dy);
    Checks.operand(NAME, "dy", dy, dtype, 2);
    Checks.contiguous(NAME, "dy", dy);
    Checks.shaped(NAME, "y", y, dtype, dy.size(0), dy.size(1));
    Checks.contiguous(NAME, "y", y);
    Checks.shaped(NAME, "dx", dx, dtype, dy.size(0), dy.size(1));
    Checks.contiguous(NAME, "dx", dx);
    Checks.disjoint(new Operands(NAME, Checks.present(dy, y), Checks.present(dx)), dy, y);
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(dy, y);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(dx);
  }
}
