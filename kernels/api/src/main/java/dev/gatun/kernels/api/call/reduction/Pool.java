package dev.gatun.kernels.api.call.reduction;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Offsets;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * One vector a sequence of a ragged batch; a sequence without tokens gives zeros.
 *
 * @param x F32, BF16 or F16 [tokens, columns] contiguous
 * @param offsets the sequences
 * @param mode how tokens become one vector
 * @param y of x's dtype [sequences, columns] contiguous
 */
public record Pool(Operand x, Offsets offsets, PoolingMode mode, Operand y)
    implements ReductionCall {

  private static final String NAME = "pool";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public Pool {
    Checks.required(NAME, "offsets", offsets);
    Checks.required(NAME, "mode", mode);
    DType dtype = Checks.floats(NAME, "x", x);
    Checks.operand(NAME, "x", x, dtype, 2);
    Checks.shaped(NAME, "x", x, dtype, offsets.tokens(), x.size(1));
    Checks.contiguous(NAME, "x", x);
    Checks.shaped(NAME, "y", y, dtype, offsets.sequences(), x.size(1));
    Checks.contiguous(NAME, "y", y);
    Checks.disjoint(new Operands(NAME, Checks.present(x, offsets.values()), Checks.present(y)));
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(x, offsets.values());
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(y);
  }
}
