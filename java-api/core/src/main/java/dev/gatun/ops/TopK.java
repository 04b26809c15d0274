package dev.gatun.ops;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.tensor.Tensor;

/**
 * The k largest elements along the last axis.
 *
 * @param values [..., k] from the largest on; NaN counts as the largest
 * @param indices I64 [..., k], their places along the axis; of equal ones the first come first
 */
public record TopK(Tensor values, Tensor indices) {

  /**
   * Finds them.
   *
   * @param x F32, BF16 or F16 [..., columns]
   * @param k from 0 to the columns
   */
  public static TopK of(Tensor x, long k) {
    Tensor rows = Ops.rows("topk", x);
    Tensor values = Tensor.empty(x.device(), x.dtype(), Ops.withLast(x, k));
    try {
      Tensor indices =
          Ops.run(
              Tensor.empty(x.device(), DType.I64, values.shape()),
              (kernels, y) ->
                  kernels.run(
                      new dev.gatun.kernels.api.call.reduction.TopK(
                          rows.operand(),
                          values.reshape(rows.size(0), k).operand(),
                          y.reshape(rows.size(0), k).operand())),
              x);
      return new TopK(values, indices);
    } catch (RuntimeException | Error e) {
      values.close();
      throw e;
    }
  }
}
