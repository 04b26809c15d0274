package dev.gatun.kernels.api.call.indexing;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * {@code y = x} between any strides: a view of x with its axes in another order makes this a
 * transposition.
 *
 * @param x of any dtype, at most 6 axes, any strides
 * @param y of x's dtype and shape, any strides that keep its elements apart
 */
public record Copy(Operand x, Operand y) implements IndexingCall {
  private static final String NAME = "copy";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public Copy {
    Checks.fewAxes(NAME, "x", x);
    Checks.apart(NAME, "y", y);
    Checks.shaped(NAME, "y", y, x.dtype(), x.shape());
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
