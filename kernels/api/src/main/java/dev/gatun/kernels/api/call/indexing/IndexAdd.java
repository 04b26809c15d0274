package dev.gatun.kernels.api.call.indexing;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * Adds rows to places, as PyTorch's index_add: {@code y[ids[i]] += x[i]} for i from 0 on. Ids may
 * repeat; their rows are added in the order of i, each sum rounded to y's dtype, so that the sums
 * are the same every time. An id outside of y is an error that names the id and its place.
 *
 * @param x F32, BF16 or F16 [count, columns] contiguous
 * @param ids I64 [count] contiguous, each from 0 to rows - 1
 * @param y F32 or of x's dtype [rows, columns] contiguous
 */
public record IndexAdd(Operand x, Indices ids, Operand y) implements IndexingCall {
  private static final String NAME = "index_add";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public IndexAdd {
    DType dtype = Checks.floats(NAME, "x", x);
    Checks.operand(NAME, "x", x, dtype, 2);
    Checks.contiguous(NAME, "x", x);
    Checks.operand(NAME, "y", y, Checks.floats(NAME, "y", y), 2);
    Checks.indices(NAME, "ids", ids, y.size(0), x.size(0));
    Checks.floatOr(NAME, "y", y, dtype, y.size(0), x.size(1));
    Checks.disjoint(new Operands(NAME, Checks.present(x, ids.values()), Checks.present(y)));
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(x, ids.values());
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(y);
  }
}
