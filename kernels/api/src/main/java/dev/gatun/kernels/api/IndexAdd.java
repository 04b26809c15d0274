package dev.gatun.kernels.api;

import java.util.List;

/**
 * Adds rows to places, as PyTorch's index_add: {@code y[ids[i]] += x[i]} for i from 0 on. Ids may
 * repeat; their rows are added in the order of i, so that the sums are the same every time. An id
 * outside of y is an error that names the id and its place.
 *
 * @param x F32 [count, columns] contiguous
 * @param ids I64 [count] contiguous, each from 0 to rows - 1
 * @param y F32 [rows, columns] contiguous
 */
public record IndexAdd(Operand x, Operand ids, Operand y) implements KernelCall {
  private static final String NAME = "index_add";

  public IndexAdd {
    Checks.operand(NAME, "x", x, DType.F32, 2);
    Checks.contiguous(NAME, "x", x);
    Checks.shaped(NAME, "ids", ids, DType.I64, x.size(0));
    Checks.contiguous(NAME, "ids", ids);
    Checks.operand(NAME, "y", y, DType.F32, 2);
    Checks.shaped(NAME, "y", y, DType.F32, y.size(0), x.size(1));
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
