package dev.gatun.kernels.api.call.indexing;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * Writes rows to places: {@code y[ids[i]] = x[i]}; other rows of y stay. The ids are distinct, but
 * for -1, whose row goes nowhere; another id outside of y is an error that names the id and its
 * place.
 *
 * @param x any dtype [count, columns] contiguous
 * @param ids I64 [count] contiguous, each from 0 to rows - 1, or -1
 * @param y of x's dtype [rows, columns] contiguous
 */
public record ScatterRows(Operand x, Indices ids, Operand y) implements IndexingCall {

  private static final String NAME = "scatter_rows";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public ScatterRows {
    DType dtype = Checks.required(NAME, "x", x).dtype();
    Checks.operand(NAME, "x", x, dtype, 2);
    Checks.contiguous(NAME, "x", x);
    Checks.operand(NAME, "y", y, dtype, 2);
    Checks.indices(NAME, "ids", ids, y.size(0), x.size(0));
    Checks.shaped(NAME, "y", y, dtype, y.size(0), x.size(1));
    Checks.contiguous(NAME, "y", y);
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
