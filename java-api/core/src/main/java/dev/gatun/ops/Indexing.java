package dev.gatun.ops;

import dev.gatun.kernels.api.call.indexing.IndexAdd;
import dev.gatun.kernels.api.call.indexing.IndexSelect;
import dev.gatun.tensor.Tensor;
import java.util.Arrays;

/** Operations that find entries of an axis by index. */
public final class Indexing {
  private Indexing() {}

  /**
   * The entries of an axis that the ids name, in their order.
   *
   * @param x of any dtype, without gaps
   * @param axis of x; negative ones count from the last
   * @param ids I64 [count], each from 0 to the axis's length - 1
   */
  public static Tensor indexSelect(Tensor x, int axis, Tensor ids) {
    int a = Layouts.axis("index_select", x, axis);
    Ops.axes("index_select", "ids", ids, 1);
    long[] shape = x.shape();
    long outer = Arrays.stream(shape, 0, a).reduce(1, (i, j) -> i * j);
    long inner = Arrays.stream(shape, a + 1, shape.length).reduce(1, (i, j) -> i * j);
    Tensor source = x.reshape(outer, shape[a], inner);
    shape[a] = ids.size(0);
    return Ops.run(
        Tensor.empty(x.device(), x.dtype(), shape),
        (k, y) ->
            k.run(
                new IndexSelect(
                    source.operand(),
                    ids.operand(),
                    y.reshape(outer, ids.size(0), inner).operand())),
        x,
        ids);
  }

  /**
   * Adds rows to those of y that the ids name, in place and in the order of the ids, which may
   * repeat; gives y.
   *
   * @param y F32 or of x's dtype [rows, columns]
   * @param ids I64 [count], each from 0 to rows - 1
   * @param x F32, BF16 or F16 [count, columns]
   */
  public static Tensor indexAdd(Tensor y, Tensor ids, Tensor x) {
    y.device().kernels().run(new IndexAdd(x.operand(), ids.operand(), y.operand()));
    Ops.fence(y, ids, x);
    return y;
  }
}
