package dev.gatun.kernels.api;

import java.util.List;

/**
 * The sum {@code y[r, c] = a[r, c] + b[r mod b_rows, c]}: b is repeated along the rows.
 *
 * @param a F32 [rows, columns] contiguous
 * @param b F32 [b_rows, columns] contiguous; b_rows divides rows
 * @param y F32 [rows, columns] contiguous; may be a
 */
public record Add(Operand a, Operand b, Operand y) implements KernelCall {

  private static final String NAME = "add";

  public Add {
    Checks.operand(NAME, "a", a, DType.F32, 2);
    Checks.contiguous(NAME, "a", a);
    Checks.operand(NAME, "b", b, DType.F32, 2);
    Checks.shaped(NAME, "b", b, DType.F32, b.size(0), a.size(1));
    Checks.contiguous(NAME, "b", b);
    if (b.size(0) == 0 ? a.size(0) != 0 : a.size(0) % b.size(0) != 0) {
      throw Checks.bad(NAME, "b is %s, its rows do not divide those of a %s", b, a);
    }
    Checks.shaped(NAME, "y", y, DType.F32, a.size(0), a.size(1));
    Checks.contiguous(NAME, "y", y);
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
