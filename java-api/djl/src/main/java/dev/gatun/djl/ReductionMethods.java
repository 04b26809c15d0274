package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import dev.gatun.djl.host.ReduceOp;
import dev.gatun.djl.host.Refusal;
import dev.gatun.djl.host.Strided;
import dev.gatun.djl.host.Types;
import java.util.function.DoubleUnaryOperator;

/** Operations that make one element of many; sums of whole numbers are INT64, as PyTorch's are. */
interface ReductionMethods extends ArrayMethods {
  /**
   * What is made of all elements along some axes.
   *
   * @param axes from 0 or backwards from -1; none for all
   * @param map what is made of each element first, or null
   * @param last what is made of each result, or null
   */
  default GatunNDArray reduce(
      ReduceOp op,
      DataType type,
      int[] axes,
      boolean keepDims,
      DoubleUnaryOperator map,
      DoubleUnaryOperator last) {
    String name = op.name().toLowerCase(java.util.Locale.ROOT);
    Strided x = self().data();
    boolean[] reduced = new boolean[x.rank()];
    if (axes.length == 0) {
      java.util.Arrays.fill(reduced, true);
    }
    for (int axis : axes) {
      int at = axis(name, axis);
      if (x.rank() == 0) {
        continue;
      }
      if (reduced[at]) {
        throw Refusal.wrong("%s: axis %d is given twice", name, at);
      }
      reduced[at] = true;
    }
    long[] kept = x.shape();
    long[] left = new long[x.rank()];
    int rank = 0;
    for (int axis = 0; axis < kept.length; axis++) {
      if (!reduced[axis]) {
        left[rank++] = kept[axis];
      } else {
        if (kept[axis] == 0 && !op.hasNeutral()) {
          throw Refusal.wrong("%s: axis %d has no elements", name, axis);
        }
        kept[axis] = 1;
      }
    }
    Strided y = Strided.allocate(type, kept);
    try {
      kernels().reduce(op, map, x, y);
      if (last != null) {
        kernels().map(last, y, y);
      }
    } catch (RuntimeException | Error e) {
      y.store().release();
      throw e;
    }
    return self().make(keepDims ? y : y.reshaped(java.util.Arrays.copyOf(left, rank)));
  }

  private GatunNDArray reduce(ReduceOp op, DataType type, int[] axes, boolean keepDims) {
    return reduce(op, type, axes, keepDims, null, null);
  }

  @Override
  default NDArray max() {
    return reduce(ReduceOp.MAX, getDataType(), new int[0], false);
  }

  @Override
  default NDArray max(int[] axes, boolean keepDims) {
    return reduce(ReduceOp.MAX, getDataType(), axes, keepDims);
  }

  @Override
  default NDArray min() {
    return reduce(ReduceOp.MIN, getDataType(), new int[0], false);
  }

  @Override
  default NDArray min(int[] axes, boolean keepDims) {
    return reduce(ReduceOp.MIN, getDataType(), axes, keepDims);
  }

  @Override
  default NDArray sum() {
    return sum(new int[0], false);
  }

  @Override
  default NDArray sum(int[] axes, boolean keepDims) {
    return reduce(ReduceOp.SUM, Types.accumulated(getDataType()), axes, keepDims);
  }

  @Override
  default NDArray prod() {
    return prod(new int[0], false);
  }

  @Override
  default NDArray prod(int[] axes, boolean keepDims) {
    return reduce(ReduceOp.PROD, Types.accumulated(getDataType()), axes, keepDims);
  }

  @Override
  default NDArray mean() {
    return mean(new int[0], false);
  }

  @Override
  default NDArray mean(int[] axes, boolean keepDims) {
    double count = 1;
    for (int axis : axes) {
      count *= isScalar() ? 1 : size(axis("mean", axis));
    }
    double all = axes.length == 0 ? size() : count;
    return reduce(
        ReduceOp.SUM, Types.floating(getDataType()), axes, keepDims, x -> x, sum -> sum / all);
  }

  @Override
  default NDArray norm(boolean keepDims) {
    return norm(2, new int[0], keepDims);
  }

  @Override
  default NDArray norm(int order, int[] axes, boolean keepDims) {
    return powerNorm(order, axes, keepDims);
  }

  /** {@code (Σ |x|ᵖ)^(1/p)}; of p = 0 how many are not 0. */
  default GatunNDArray powerNorm(double p, int[] axes, boolean keepDims) {
    DataType type = Types.floating(getDataType());
    if (p == Double.POSITIVE_INFINITY) {
      return reduce(ReduceOp.MAX, type, axes, keepDims, Math::abs, null);
    }
    if (p == 0) {
      return reduce(ReduceOp.SUM, type, axes, keepDims, x -> x == 0 ? 0 : 1, null);
    }
    if (p == 1) {
      return reduce(ReduceOp.SUM, type, axes, keepDims, Math::abs, null);
    }
    if (p == 2) {
      return reduce(ReduceOp.SUM, type, axes, keepDims, x -> x * x, Math::sqrt);
    }
    return reduce(
        ReduceOp.SUM,
        type,
        axes,
        keepDims,
        x -> Math.pow(Math.abs(x), p),
        sum -> Math.pow(sum, 1 / p));
  }

  @Override
  default NDArray normalize(double p, long dim, double eps) {
    try (GatunNDArray norm = powerNorm(p, new int[] {(int) dim}, true);
        GatunNDArray divisor = norm.map(value -> Math.max(value, eps))) {
      return div(divisor);
    }
  }

  @Override
  default NDArray trace(int offset, int axis1, int axis2) {
    try (NDArray diagonal = diagonal(offset, axis1, axis2)) {
      return diagonal.sum(new int[] {-1}, false);
    }
  }

  private GatunNDArray scan(ReduceOp op, int axis, DataType type) {
    Strided x = self().data();
    Strided y = Strided.allocate(type, x.shape());
    if (x.rank() == 0) {
      kernels().copy(x, y);
    } else {
      int at = axis("cum" + op.name().toLowerCase(java.util.Locale.ROOT), axis);
      kernels().scan(op, x, at, y);
    }
    return self().make(y);
  }

  @Override
  default NDArray cumSum() {
    return isScalar() ? reshape(1) : isEmpty() ? reshape(0) : cumSum(0);
  }

  @Override
  default NDArray cumSum(int axis) {
    return scan(ReduceOp.SUM, axis, Types.accumulated(getDataType()));
  }

  @Override
  default NDArray cumProd(int axis) {
    return scan(ReduceOp.PROD, axis, Types.accumulated(getDataType()));
  }

  @Override
  default NDArray cumProd(int axis, DataType dataType) {
    return scan(ReduceOp.PROD, axis, dataType);
  }
}
