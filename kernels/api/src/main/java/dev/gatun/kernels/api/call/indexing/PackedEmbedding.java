package dev.gatun.kernels.api.call.indexing;

import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * Table look-up as {@link Embedding}, in a table that is the weight of a linear layer too and lies
 * as {@link MatmulPack} of the same backend has laid it out: {@code y[i] = table[ids[i]]}, or
 * {@code y[i] += table[ids[i]]}. An id outside of the table is an error that names the id and its
 * place.
 *
 * @param packed F32, BF16 or F16, the packed table [rows, columns]
 * @param rows of the table
 * @param ids I64 [count] contiguous, each from 0 to rows - 1
 * @param accumulate whether to add to y
 * @param y F32 or of the table's dtype [count, columns] contiguous
 */
public record PackedEmbedding(Operand packed, long rows, Indices ids, boolean accumulate, Operand y)
    implements IndexingCall {

  private static final String NAME = "packed_embedding";

  /**
   * Checks the operands.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public PackedEmbedding {
    DType dtype = Checks.floats(NAME, "packed", packed);
    if (rows < 0) {
      throw Checks.bad(NAME, "rows is %d, expected 0 or more", rows);
    }
    long count = Checks.count(NAME, "ids", ids);
    Checks.indices(NAME, "ids", ids, rows, count);
    Checks.operand(NAME, "y", y, Checks.floats(NAME, "y", y), 2);
    Checks.floatOr(NAME, "y", y, dtype, count, y.size(1));
    long elements =
        Checks.counted(
            NAME, "the packed table of y", y, () -> MatmulPack.packedCount(dtype, rows, y.size(1)));
    Checks.shaped(NAME, "packed", packed, dtype, elements);
    Checks.contiguous(NAME, "packed", packed);
    Checks.disjoint(new Operands(NAME, Checks.present(packed, ids.values()), Checks.present(y)));
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(packed, ids.values());
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(y);
  }
}
