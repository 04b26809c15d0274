package dev.gatun.kernels.api;

import java.util.List;

/**
 * An activation function of each element: {@code y = activation(x)}.
 *
 * @param x F32 [rows, columns] contiguous
 * @param activation the function
 * @param y F32 [rows, columns] contiguous; may be x
 */
public record Activate(Operand x, Activation activation, Operand y) implements KernelCall {

  private static final String NAME = "activation";

  public Activate {
    Checks.required(NAME, "activation", activation);
    Checks.operand(NAME, "x", x, DType.F32, 2);
    Checks.contiguous(NAME, "x", x);
    Checks.shaped(NAME, "y", y, DType.F32, x.size(0), x.size(1));
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
