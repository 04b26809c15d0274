package dev.gatun.kernels.api.call.indexing;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
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
public record IndexSelect(Operand x, Operand ids, Operand y) implements KernelCall {
  private static final String NAME = "index_select";

  public IndexSelect {
    Checks.required(NAME, "x", x);
    Checks.operand(NAME, "x", x, x.dtype(), 3);
    Checks.contiguous(NAME, "x", x);
    Checks.operand(NAME, "ids", ids, DType.I64, 1);
    Checks.contiguous(NAME, "ids", ids);
    Checks.shaped(NAME, "y", y, x.dtype(), x.size(0), ids.size(0), x.size(2));
    Checks.contiguous(NAME, "y", y);
    Checks.disjoint(new Operands(NAME, Checks.present(x, ids), Checks.present(y)));
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(x, ids);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(y);
  }
}
