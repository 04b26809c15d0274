package dev.gatun.kernels.api.call.indexing;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * Takes entries of one axis by index, as PyTorch's index_select: {@code y[o, i] = x[o, ids[i]]}. An
 * id outside of the axis is an error that names the id and its place.
 *
 * @param x of any dtype, [outer, length, inner] contiguous
 * @param ids I64 [count] contiguous, each from 0 to length - 1
 * @param y of x's dtype, [outer, count, inner] contiguous
 */
public record IndexSelect(Operand x, Indices ids, Operand y) implements IndexingCall {
  private static final String NAME = "index_select";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public IndexSelect {
    Checks.required(NAME, "x", x);
    Checks.operand(NAME, "x", x, x.dtype(), 3);
    Checks.contiguous(NAME, "x", x);
    long count = Checks.count(NAME, "ids", ids);
    Checks.indices(NAME, "ids", ids, x.size(1), count);
    Checks.shaped(NAME, "y", y, x.dtype(), x.size(0), count, x.size(2));
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
