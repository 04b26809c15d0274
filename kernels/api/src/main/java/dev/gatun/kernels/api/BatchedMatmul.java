package dev.gatun.kernels.api;

import java.util.List;

/**
 * A product for each entry of a batch: {@code c[i, m, n] = Σₖ a[i, m, k] b[i, n, k]}.
 *
 * @param a F32 [batch, m, k], the last axis without gaps
 * @param b F32 [batch, n, k], the last axis without gaps
 * @param c F32 [batch, m, n], the last axis without gaps
 */
public record BatchedMatmul(Operand a, Operand b, Operand c) implements KernelCall {

  private static final String NAME = "batched_matmul";

  public BatchedMatmul {
    Checks.operand(NAME, "a", a, DType.F32, 3);
    Checks.operand(NAME, "b", b, DType.F32, 3);
    Checks.shaped(NAME, "b", b, DType.F32, a.size(0), b.size(1), a.size(2));
    Checks.shaped(NAME, "c", c, DType.F32, a.size(0), a.size(1), b.size(1));
    Checks.rows(NAME, "a", a);
    Checks.rows(NAME, "b", b);
    Checks.rows(NAME, "c", c);
    if (!c.isContiguous()) {
      Checks.contiguous(NAME, "c", c);
    }
    Checks.disjoint(new Operands(NAME, Checks.present(a, b), Checks.present(c)));
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
    return Checks.present(c);
  }
}
