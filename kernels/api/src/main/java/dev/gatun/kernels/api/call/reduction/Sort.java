package dev.gatun.kernels.api.call.reduction;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * The first k elements of each row in their order, and their places in it: {@code values[r, i] =
 * x[r, indices[r, i]]}. Equal elements keep their order, falling too (the sort is stable); 0 and -0
 * are equal, and NaN of either sign counts as the largest, as in PyTorch. Values keep their bits.
 *
 * @param x F32, BF16, F16, I64, I32, I8 or U8 [rows, columns], any strides, below 2^31 columns
 * @param descending whether the largest comes first
 * @param values of x's dtype [rows, k] contiguous, k at most columns; or null
 * @param indices I64 [rows, k] contiguous; or null, but not where values is
 */
public record Sort(Operand x, boolean descending, Operand values, Operand indices)
    implements ReductionCall {
  private static final String NAME = "sort";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public Sort {
    DType dtype = Checks.required(NAME, "x", x).dtype();
    switch (dtype) {
      case F32, BF16, F16, I64, I32, I8, U8 -> {}
      default -> throw Checks.bad(NAME, "x is %s, expected F32, BF16, F16, I64, I32, I8 or U8", x);
    }
    Checks.operand(NAME, "x", x, dtype, 2);
    if (x.size(1) >= 1L << 31) {
      throw Checks.bad(NAME, "x is %s, expected fewer than 2^31 columns", x);
    }
    if (values == null && indices == null) {
      throw Checks.bad(NAME, "values and indices are missing, expected one of them or both");
    }
    if (values != null) {
      Checks.operand(NAME, "values", values, dtype, 2);
      Checks.shaped(NAME, "values", values, dtype, x.size(0), values.size(1));
      Checks.contiguous(NAME, "values", values);
    }
    if (indices != null) {
      Checks.operand(NAME, "indices", indices, DType.I64, 2);
      long k = (values == null ? indices : values).size(1);
      Checks.shaped(NAME, "indices", indices, DType.I64, x.size(0), k);
      Checks.contiguous(NAME, "indices", indices);
    }
    long k = (values == null ? indices : values).size(1);
    if (k > x.size(1)) {
      throw Checks.bad(NAME, "k is %d, expected 0 to the columns of x %s", k, x);
    }
    Checks.disjoint(new Operands(NAME, Checks.present(x), Checks.present(values, indices)));
  }

  /** {@return how many elements of each row are asked for} */
  public long k() {
    return (values == null ? indices : values).size(1);
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
    return Checks.present(values, indices);
  }
}
