package dev.gatun.kernels.api.call.elementwise;

import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * Dropout of elements (Srivastava et al., JMLR 2014): {@code y = x / (1 - probability)}, or 0 where
 * an element is dropped. The mask is Philox4x32-10's (Salmon et al., SC 2011): element i in
 * row-major order is dropped when word {@code i mod 4} of the counter {@code (i / 4, its high word,
 * 0, 0)}, with the seed as its key (low word first), is below {@code probability · 2³²}. The
 * gradient is the same call of dy.
 *
 * @param x F32, BF16 or F16 [rows, columns] contiguous
 * @param dropout the probability and the seed
 * @param y of x's dtype [rows, columns] contiguous; may be x
 */
public record DropElements(Operand x, Dropout dropout, Operand y) implements ElementwiseCall {
  private static final String NAME = "dropout";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public DropElements {
    Checks.required(NAME, "dropout", dropout);
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
