package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.gatun.djl.Tape.Keeps;
import dev.gatun.djl.host.ArrayKernels;
import dev.gatun.djl.host.ReduceOp;
import dev.gatun.djl.host.Refusal;
import dev.gatun.djl.host.Strided;
import dev.gatun.djl.host.Types;
import java.util.Arrays;
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
    boolean complex = x.type() == DataType.COMPLEX64;
    if (complex && op != ReduceOp.SUM) {
      requireReal(name);
    }
    if (complex) {
      Tape.refuse(name + " of complex numbers", self());
    }
    boolean[] reduced = new boolean[x.rank()];
    if (axes.length == 0) {
      Arrays.fill(reduced, true);
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
      // Sums of complex numbers are those of their parts.
      Strided sums = complex ? y.parts() : y;
      kernels().reduce(op, map, complex ? x.parts() : x, sums);
      if (last != null) {
        kernels().map(last, sums, sums);
      }
    } catch (RuntimeException | Error e) {
      y.store().release();
      throw e;
    }
    return self().make(keepDims ? y : y.reshaped(Arrays.copyOf(left, rank)));
  }

  /**
   * Records a reduction.
   *
   * @param keeps whether the rule reads the array, or the array and the result, which then may not
   *     be written over
   * @param rule gives the gradient by the array, the result and its gradient, these two with axes
   *     of length 1 that were reduced
   */
  private GatunNDArray recorded(
      String op, GatunNDArray result, int[] axes, Reads keeps, Reduced rule) {
    if (!Tape.follows(self())) {
      return result;
    }
    long[] shape = self().data().shape();
    for (int i = 0; i < shape.length; i++) {
      int at = i;
      if (axes.length == 0
          || Arrays.stream(axes).anyMatch(axis -> Math.floorMod(axis, shape.length) == at)) {
        shape[i] = 1;
      }
    }
    Shape kept = new Shape(shape);
    GatunNDArray[] inputs =
        keeps == Reads.BOTH ? new GatunNDArray[] {self(), result} : new GatunNDArray[] {self()};
    return Tape.record(
        result,
        op,
        keeps == Reads.NOTHING ? Keeps.NOTHING : Keeps.INPUTS,
        step -> {
          GatunNDArray g = (GatunNDArray) step.gradient().reshape(kept);
          GatunNDArray x = keeps == Reads.NOTHING ? null : step.input(0);
          GatunNDArray y = keeps == Reads.BOTH ? (GatunNDArray) step.input(1).reshape(kept) : null;
          step.give(0, rule.of(x, y, g));
        },
        inputs);
  }

  /** What the gradient of a reduction reads beside the result's. */
  enum Reads {
    /** No more. */
    NOTHING,
    /** The array. */
    ARRAY,
    /** The array and the result. */
    BOTH
  }

  /** The gradient of a reduction; of what it does not read it is given null. */
  interface Reduced {
    NDArray of(GatunNDArray x, GatunNDArray y, GatunNDArray g);
  }

  /** The largest or the smallest. */
  private GatunNDArray extreme(ReduceOp op, int[] axes, boolean keepDims) {
    GatunNDArray y = reduce(op, getDataType(), axes, keepDims, null, null);
    boolean one = axes.length == 1 && !isScalar();
    return recorded(
        op.name(),
        y,
        axes,
        one ? Reads.ARRAY : Reads.BOTH,
        (x, most, g) -> {
          if (one) {
            // PyTorch's, along an axis: the first of equal ones has it.
            NDArray place = op == ReduceOp.MAX ? x.argMax(axes[0]) : x.argMin(axes[0]);
            GatunNDArray all = (GatunNDArray) x.zerosLike();
            return all.scatter(place.reshape(g.getShape()), g, axes[0]);
          }
          NDArray equal = x.eq(most).toType(g.getDataType(), false);
          return equal.mul(g).div(equal.sum(axes, true));
        });
  }

  @Override
  default NDArray max() {
    return extreme(ReduceOp.MAX, new int[0], false);
  }

  @Override
  default NDArray max(int[] axes, boolean keepDims) {
    return extreme(ReduceOp.MAX, axes, keepDims);
  }

  @Override
  default NDArray min() {
    return extreme(ReduceOp.MIN, new int[0], false);
  }

  @Override
  default NDArray min(int[] axes, boolean keepDims) {
    return extreme(ReduceOp.MIN, axes, keepDims);
  }

  @Override
  default NDArray sum() {
    return sum(new int[0], false);
  }

  @Override
  default NDArray sum(int[] axes, boolean keepDims) {
    return recorded(
        "sum",
        reduce(ReduceOp.SUM, Types.accumulated(getDataType()), axes, keepDims, null, null),
        axes,
        Reads.NOTHING,
        (x, y, g) -> g);
  }

  @Override
  default NDArray prod() {
    return prod(new int[0], false);
  }

  @Override
  default NDArray prod(int[] axes, boolean keepDims) {
    return recorded(
        "prod",
        reduce(ReduceOp.PROD, Types.accumulated(getDataType()), axes, keepDims, null, null),
        axes,
        Reads.ARRAY,
        (x, y, g) -> {
          // Where there is a 0 the product of the others is not y / x.
          NDArray isZero = x.eq(0).toType(x.getDataType(), false);
          NDArray others = x.add(isZero);
          NDArray left = others.prod(axes, true).mul(g);
          NDArray zeros = isZero.sum(axes, true);
          NDArray alone = zeros.sub(isZero).eq(0);
          return ((GatunNDArray) left.div(others)).where(alone, x.zerosLike());
        });
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
    return recorded(
        "mean",
        reduce(
            ReduceOp.SUM, Types.floating(getDataType()), axes, keepDims, x -> x, sum -> sum / all),
        axes,
        Reads.NOTHING,
        (x, y, g) -> g.div(all));
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
    return recorded(
        "norm", norm(p, axes, keepDims), axes, Reads.BOTH, (x, y, g) -> slope(p, axes, x, y, g));
  }

  private static NDArray slope(
      double p, int[] axes, GatunNDArray x, GatunNDArray y, GatunNDArray g) {
    if (p == 0) {
      return g.mul(0);
    }
    if (p == 1) {
      return x.sign().mul(g);
    }
    if (p == Double.POSITIVE_INFINITY) {
      NDArray equal = x.abs().eq(y).toType(g.getDataType(), false);
      return equal.mul(x.sign()).mul(g).div(equal.sum(axes, true));
    }
    // Of nothing but zeros it is 0, as PyTorch's.
    NDArray safe = y.where(y.neq(0), y.onesLike());
    if (p == 2) {
      return x.div(safe).mul(g);
    }
    GatunNDArray slope = (GatunNDArray) x.sign().mul(x.abs().div(safe).pow(p - 1)).mul(g);
    return p > 1 ? slope : slope.where(x.neq(0), x.zerosLike());
  }

  private GatunNDArray norm(double p, int[] axes, boolean keepDims) {
    if (getDataType() == DataType.COMPLEX64) {
      try (NDArray sizes = abs()) {
        return ((ReductionMethods) sizes).norm(p, axes, keepDims);
      }
    }
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
    // Powers may be greater than all numbers of the type where their root is not.
    DoubleUnaryOperator power = p == 2 ? x -> x * x : x -> Math.pow(Math.abs(x), p);
    DoubleUnaryOperator root = p == 2 ? Math::sqrt : sum -> Math.pow(sum, 1 / p);
    GatunNDArray wide = reduce(ReduceOp.SUM, DataType.FLOAT64, axes, keepDims, power, root);
    if (type == DataType.FLOAT64) {
      return wide;
    }
    try (wide) {
      return wide.toType(type, true);
    }
  }

  @Override
  default NDArray normalize(double p, long dim, double eps) {
    try (GatunNDArray norm = powerNorm(p, new int[] {(int) dim}, true);
        GatunNDArray divisor =
            norm.map(
                "normalize", value -> Math.max(value, eps), (value, g) -> value >= eps ? g : 0)) {
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
    String name = "cum" + op.name().toLowerCase(java.util.Locale.ROOT);
    Strided x = self().data();
    boolean complex = x.type() == DataType.COMPLEX64;
    if (complex && op != ReduceOp.SUM) {
      requireReal(name);
    }
    if (complex) {
      Tape.refuse(name + " of complex numbers", self());
    }
    int at = axis(name, axis);
    Strided y = Strided.allocate(type, x.shape());
    if (x.rank() == 0) {
      kernels().copy(x, y);
    } else {
      kernels().scan(op, complex ? x.parts() : x, at, complex ? y.parts() : y);
    }
    return self().make(y);
  }

  /** Booleans of the array's shape that say which elements are at a place of an axis. */
  private static NDArray place(GatunNDArray x, int axis, long i) {
    GatunNDArray told = (GatunNDArray) x.getManager().zeros(x.getShape(), DataType.BOOLEAN);
    Strided all = told.data();
    Strided chosen =
        x.isScalar() ? all : all.sliced(Refusal.axis("cumProd", axis, all.rank()), i, 1, 1);
    ArrayKernels.host().fill(chosen, 1);
    return told;
  }

  @Override
  default NDArray cumSum() {
    return isScalar() ? reshape(1) : isEmpty() ? reshape(0) : cumSum(0);
  }

  @Override
  default NDArray cumSum(int axis) {
    return Tape.record(
        scan(ReduceOp.SUM, axis, Types.accumulated(getDataType())),
        "cumSum",
        Keeps.NOTHING,
        step -> {
          NDArray g = step.gradient();
          step.give(0, g.isScalar() ? g : g.flip(axis).cumSum(axis).flip(axis));
        },
        self());
  }

  @Override
  default NDArray cumProd(int axis) {
    return cumProd(axis, Types.accumulated(getDataType()));
  }

  @Override
  default NDArray cumProd(int axis, DataType dataType) {
    return Tape.record(
        scan(ReduceOp.PROD, axis, dataType),
        "cumProd",
        Keeps.INPUTS,
        step -> {
          GatunNDArray x = step.input(0);
          NDArray sum = x.zerosLike();
          long length = x.isScalar() ? 1 : x.size(Math.floorMod(axis, x.getShape().dimension()));
          // The derivative by place i: products from there on without it, so that zeros do no harm.
          for (long i = 0; i < length; i++) {
            NDArray at = place(x, axis, i);
            NDArray others = x.where(at.logicalNot(), x.onesLike());
            NDArray products = others.cumProd(axis).mul(step.gradient());
            NDArray later = at.toType(DataType.INT64, false).cumSum(axis).neq(0);
            NDArray total =
                ((GatunNDArray) products)
                    .where(later, products.zerosLike())
                    .sum(x.isScalar() ? new int[0] : new int[] {axis}, true);
            sum = sum.add(total.mul(at.toType(x.getDataType(), false)));
          }
          step.give(0, sum);
        },
        self());
  }
}
