package dev.gatun.kernels.api.call.indexing;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * Table look-up: {@code y[i] = table[ids[i]]}, or {@code y[i] += table[ids[i]]}. An id outside of
 * the table is an error that names the id and its place.
 *
 * @param table F32, BF16 or F16 [rows, columns] contiguous
 * @param ids I64 [count] contiguous, each from 0 to rows - 1
 * @param accumulate whether to add to y
 * @param y F32 or of the table's dtype [count, columns] contiguous
 */
public record Embedding(Operand table, Indices ids, boolean accumulate, Operand y)
    implements IndexingCall {

  private static final String NAME = "embedding";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public Embedding {
    DType dtype = Checks.floats(NAME, "table", table);
    Checks.operand(NAME, "table", table, dtype, 2);
    Checks.contiguous(NAME, "table", table);
    long count = Checks.count(NAME, "ids", ids);
    Checks.indices(NAME, "ids", ids, table.size(0), count);
    Checks.floatOr(NAME, "y", y, dtype, count, table.size(1));
    Checks.disjoint(new Operands(NAME, Checks.present(table, ids.values()), Checks.present(y)));
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(table, ids.values());
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(y);
  }
}
