package dev.gatun.kernels.api.call.matmul;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * A product for each entry of a batch: {@code c[i, m, n] = Σₖ a[i, m, k] b[i, n, k]}, summed in
 * F32, or {@code c[i, m, n] += ...}: the sum is added to what is there, as the gradients of weights
 * need it.
 *
 * <p>a and b may have any strides: with their last two axes exchanged this is {@code aᵀ} or {@code
 * bᵀ}, as the gradients of a product need it, and with a stride of 0 along the batch one matrix is
 * multiplied by all of the others.
 *
 * @param a F32, BF16 or F16 [batch, m, k]
 * @param b of a's dtype [batch, n, k]
 * @param c F32 or of a's dtype [batch, m, n] contiguous; F32 where it is added to
 * @param accumulate whether the products are added to c
 */
public record BatchedMatmul(Operand a, Operand b, Operand c, boolean accumulate)
    implements MatmulCall {
  private static final String NAME = "batched_matmul";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public BatchedMatmul {
    DType dtype = Checks.floats(NAME, "a", a);
    Checks.operand(NAME, "a", a, dtype, 3);
    Checks.operand(NAME, "b", b, dtype, 3);
    Checks.shaped(NAME, "b", b, dtype, a.size(0), b.size(1), a.size(2));
    Checks.floatOr(NAME, "c", c, dtype, a.size(0), a.size(1), b.size(1));
    if (accumulate && c.dtype() != DType.F32) {
      throw Checks.bad(NAME, "c is %s, expected F32 to add to", c);
    }
    Checks.disjoint(new Operands(NAME, Checks.present(a, b), Checks.present(c)));
  }

  /**
   * Products that are written.
   *
   * @param a as {@link #a}
   * @param b as {@link #b}
   * @param c as {@link #c}
   */
  public BatchedMatmul(Operand a, Operand b, Operand c) {
    this(a, b, c, false);
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
