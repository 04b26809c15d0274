package dev.gatun.kernels.api.call.experts;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * The linear layers of a mixture's experts, each for the rows of its own places: {@code y[p, n] =
 * activation(Σₖ x[r, k] weight[e, n, k] + bias[e, n])} for the places p from {@code offsets[e]} to
 * {@code offsets[e + 1]}, with {@code r = rows[p]}, or p where there are no rows. Each is a {@link
 * Matmul}. Rows of y from the last offset on are left as they are.
 *
 * <p>Offsets begin with 0, never fall, and end at most at the places; rows up to there are those of
 * x. Others are an error where the processor computes. A device, which is not waited for, takes
 * offsets as if they were cut to the places, and a row that is none of x's as zeros.
 *
 * @param x F32, BF16 or F16 [places, in_features], or [tokens, in_features] where there are rows;
 *     rows without gaps inside; F32 with an F32 weight
 * @param rows I32 [places] contiguous, as {@link ExpertRouting} gives them, or null
 * @param offsets I32 [experts + 1] contiguous, as {@link ExpertRouting} gives them
 * @param packed F32, BF16 or F16 [experts * {@link MatmulPack#packedCount}] contiguous: the
 *     experts' weights [out_features, in_features], each as {@link MatmulPack} lays it out
 * @param bias F32 [experts, out_features] contiguous, or null for none
 * @param activation applied to each element
 * @param y F32, BF16 or F16 [places, out_features], rows without gaps inside; F32 with an F32
 *     weight
 */
public record GroupedMatmul(
    Operand x,
    Operand rows,
    Operand offsets,
    Operand packed,
    Operand bias,
    Activation activation,
    Operand y)
    implements ExpertCall {
  private static final String NAME = "grouped_matmul";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public GroupedMatmul {
    Checks.required(NAME, "activation", activation);
    DType dtype = Checks.floats(NAME, "packed", packed);
    GroupedRows grouped = new GroupedRows(x, rows, offsets, bias, y);
    grouped.check(NAME);
    if (dtype == DType.F32) {
      Checks.operand(NAME, "x", x, DType.F32, 2);
      Checks.operand(NAME, "y", y, DType.F32, 2);
    }
    long count =
        Checks.counted(
            NAME,
            "the packed weights of x",
            x,
            () ->
                Math.multiplyExact(
                    grouped.experts(), MatmulPack.packedCount(dtype, y.size(1), x.size(1))));
    Checks.shaped(NAME, "packed", packed, dtype, count);
    Checks.contiguous(NAME, "packed", packed);
    Checks.disjoint(new Operands(NAME, Checks.present(x, rows, offsets, packed, bias), List.of(y)));
  }

  /** {@return the number of experts} */
  public long experts() {
    return offsets.size(0) - 1;
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(x, rows, offsets, packed, bias);
  }

  @Override
  public List<Operand> outputs() {
    return List.of(y);
  }
}
