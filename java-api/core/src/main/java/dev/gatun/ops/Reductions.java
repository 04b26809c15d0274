package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.reduction.ArgMax;
import dev.gatun.kernels.api.call.reduction.Pool;
import dev.gatun.kernels.api.call.reduction.PoolingMode;
import dev.gatun.kernels.api.call.reduction.Reduce;
import dev.gatun.kernels.api.call.reduction.Reduction;
import dev.gatun.kernels.api.call.reduction.Sample;
import dev.gatun.kernels.api.call.reduction.Scan;
import dev.gatun.kernels.api.call.reduction.ScanOp;
import dev.gatun.kernels.api.call.reduction.Sort;
import dev.gatun.kernels.api.device.Kernels;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Operations that make one element of many, on F32, BF16 and F16 tensors of at most 6 axes,
 * computed in float. The axes that are named are gone from the result; none named means all.
 */
public final class Reductions {
  private Reductions() {}

  /**
   * {@return the sum along the axes; 0 of no elements}
   *
   * @param x F32, BF16 or F16 of at most 6 axes, any strides
   * @param axes each at most once; negative ones count from the last; none for all
   * @throws IllegalArgumentException for an axis that x lacks, or that is named twice
   */
  public static Tensor sum(Tensor x, int... axes) {
    return reduce(x, Reduction.SUM, axes);
  }

  /**
   * {@return the mean along the axes}
   *
   * @param x F32, BF16 or F16 of at most 6 axes, any strides, not empty along the axes
   * @param axes each at most once; negative ones count from the last; none for all
   * @throws IllegalArgumentException for an axis that x lacks, that is named twice, or is empty
   */
  public static Tensor mean(Tensor x, int... axes) {
    return reduce(x, Reduction.MEAN, axes);
  }

  /**
   * {@return the largest element along the axes; NaN where there is one}
   *
   * @param x F32, BF16 or F16 of at most 6 axes, any strides, not empty along the axes
   * @param axes each at most once; negative ones count from the last; none for all
   * @throws IllegalArgumentException for an axis that x lacks, that is named twice, or is empty
   */
  public static Tensor max(Tensor x, int... axes) {
    return reduce(x, Reduction.MAX, axes);
  }

  /**
   * {@return the smallest element along the axes; NaN where there is one}
   *
   * @param x F32, BF16 or F16 of at most 6 axes, any strides, not empty along the axes
   * @param axes each at most once; negative ones count from the last; none for all
   * @throws IllegalArgumentException for an axis that x lacks, that is named twice, or is empty
   */
  public static Tensor min(Tensor x, int... axes) {
    return reduce(x, Reduction.MIN, axes);
  }

  /**
   * Sums of the elements up to each along an axis, in double, each rounded once.
   *
   * @param x F32, BF16, F16, or I64, which wraps around
   * @param axis negative ones count from the last
   * @return of x's shape and dtype
   */
  public static Tensor cumsum(Tensor x, int axis) {
    Tape tape = Tape.recording();
    Node node = tape == null || x.dtype() == DType.I64 ? null : tape.node("cumsum", x);
    Tensor y = scan("cumsum", x, ScanOp.SUM, axis);
    if (node != null) {
      ReductionGradients.cumsum(node, Layouts.axis("cumsum", x, axis), y);
    }
    return y;
  }

  /**
   * Products of the elements up to each along an axis, in double, each rounded once; they pass no
   * gradient on.
   *
   * @param x F32, BF16, F16, or I64, which wraps around
   * @param axis negative ones count from the last
   * @return of x's shape and dtype
   * @throws UnsupportedOperationException when a tape tracks x
   */
  public static Tensor cumprod(Tensor x, int axis) {
    Tape.refuse("cumprod", x);
    return scan("cumprod", x, ScanOp.PRODUCT, axis);
  }

  private static Tensor scan(String op, Tensor x, ScanOp scan, int axis) {
    int at = Layouts.axis(op, x, axis);
    long[] three = {1, x.size(at), 1};
    for (int i = 0; i < x.rank(); i++) {
      three[i < at ? 0 : 2] *= i == at ? 1 : x.size(i);
    }
    Tensor whole = x.operand().isContiguous() ? x : Layouts.contiguous(x);
    try {
      return Calls.run(
          Tensor.empty(x.device(), x.dtype(), x.shape()),
          (k, y) ->
              k.run(new Scan(whole.reshape(three).operand(), scan, y.reshape(three).operand())),
          whole);
    } finally {
      if (whole != x) {
        whole.close();
      }
    }
  }

  /**
   * The places of the largest elements along the last axis, the first of equal ones; NaN counts as
   * the largest.
   *
   * @param x F32, BF16 or F16 [..., columns], at least one column
   * @return I64 of x's shape without its last axis
   */
  public static Tensor argmax(Tensor x) {
    Tensor rows = Calls.rows("argmax", x);
    return Calls.run(
        Tensor.empty(x.device(), DType.I64, Arrays.copyOf(x.shape(), x.rank() - 1)),
        (k, y) -> k.run(new ArgMax(rows.operand(), y.reshape(y.count()).operand())),
        x);
  }

  /**
   * The k largest elements along the last axis.
   *
   * @param values [..., k] from the largest on; NaN counts as the largest
   * @param indices I64 [..., k], their places along the axis; of equal ones the first come first
   */
  public record TopK(Tensor values, Tensor indices) {}

  /**
   * Finds the k largest elements along the last axis.
   *
   * @param x F32, BF16 or F16 [..., columns]
   * @param k from 0 to the columns
   * @return the elements and their places, [..., k] each
   */
  public static TopK topk(Tensor x, long k) {
    Tensor rows = Calls.rows("topk", x);
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("topk", x);
    Tensor values = Tensor.empty(x.device(), x.dtype(), Calls.withLast(x, k));
    try {
      Tensor indices =
          Calls.run(
              Tensor.empty(x.device(), DType.I64, values.shape()),
              (kernels, y) ->
                  kernels.run(
                      new dev.gatun.kernels.api.call.reduction.TopK(
                          rows.operand(),
                          values.reshape(rows.size(0), k).operand(),
                          y.reshape(rows.size(0), k).operand())),
              x);
      if (node != null) {
        ReductionGradients.topk(node, x, indices, values);
      }
      return new TopK(values, indices);
    } catch (RuntimeException | Error e) {
      values.close();
      throw e;
    }
  }

  /**
   * The elements along the last axis in their order.
   *
   * @param values of x's shape and dtype; NaN counts as the largest
   * @param indices I64 of x's shape, their places along the axis
   */
  public record Sorted(Tensor values, Tensor indices) {}

  /**
   * Sorts along the last axis; equal elements, as 0 and -0 are, keep their order, falling too.
   *
   * @param x F32, BF16, F16, I64, I32, I8 or U8 [..., columns]
   * @param descending whether the largest comes first
   * @return the elements and their places, of x's shape each
   */
  public static Sorted sort(Tensor x, boolean descending) {
    Tensor rows = Calls.rows("sort", x);
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("sort", x);
    Tensor values = Tensor.empty(x.device(), x.dtype(), x.shape());
    try {
      Tensor indices =
          Calls.run(
              Tensor.empty(x.device(), DType.I64, x.shape()),
              (kernels, y) ->
                  kernels.run(
                      new Sort(
                          rows.operand(),
                          descending,
                          Calls.rows("sort", values).operand(),
                          Calls.rows("sort", y).operand())),
              x);
      if (node != null) {
        ReductionGradients.topk(node, x, indices, values);
      }
      return new Sorted(values, indices);
    } catch (RuntimeException | Error e) {
      values.close();
      throw e;
    }
  }

  /**
   * The places along the last axis that {@link #sort} finds: I64 of x's shape.
   *
   * @param x F32, BF16, F16, I64, I32, I8 or U8 [..., columns]
   * @param descending whether the largest comes first
   * @return I64 of x's shape
   */
  public static Tensor argsort(Tensor x, boolean descending) {
    Tensor rows = Calls.rows("argsort", x);
    return Calls.run(
        Tensor.empty(x.device(), DType.I64, x.shape()),
        (k, y) ->
            k.run(new Sort(rows.operand(), descending, null, Calls.rows("argsort", y).operand())),
        x);
  }

  /**
   * An element of each row, by the row's settings; see {@link Sample}.
   *
   * @param x F32 [rows, columns]
   * @param temperature F32 [rows]; 0 takes the largest element
   * @param settings I64 [rows, 4]: top_k, left, least, draw
   * @return I64 [rows], -1 where there is none
   * @throws UnsupportedOperationException when a tape tracks x
   */
  public static Tensor sample(Tensor x, Tensor temperature, Tensor settings) {
    Calls.axes("sample", "x", x, 2);
    Tape.refuse("sample", x);
    return Calls.run(
        Tensor.empty(x.device(), DType.I64, x.size(0)),
        (k, y) ->
            k.run(new Sample(x.operand(), temperature.operand(), settings.operand(), y.operand())),
        x,
        temperature,
        settings);
  }

  /**
   * One vector a sequence of packed tokens; zeros of one without tokens.
   *
   * @param x F32, BF16 or F16 [tokens, columns], without gaps
   * @param segments the sequences of the tokens
   * @param mode how tokens become one vector
   * @return of x's dtype [sequences, columns]
   */
  public static Tensor pool(Tensor x, Segments segments, PoolingMode mode) {
    Calls.axes("pool", "x", x, 2);
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("pool", x);
    Tensor pooled =
        Calls.run(
            Tensor.empty(x.device(), x.dtype(), segments.sequences(), x.size(1)),
            (k, y) -> k.run(new Pool(x.operand(), segments.offsets(), mode, y.operand())),
            x,
            segments.values());
    if (node != null) {
      ReductionGradients.pool(node, x, segments, mode, pooled);
    }
    return pooled;
  }

  /**
   * {@link #pool} in simple ops.
   *
   * @param x F32, BF16 or F16 [tokens, columns]
   * @param segments the sequences of the tokens
   * @param mode how tokens become one vector
   * @return of x's dtype [sequences, columns]
   */
  public static Tensor plainPool(Tensor x, Segments segments, PoolingMode mode) {
    try (Scope scope = Scope.open()) {
      long sequences = segments.sequences();
      if (x.count() == 0 || sequences == 0) {
        return scope.keep(Tensor.zeros(x.device(), x.dtype(), sequences, x.size(1)));
      }
      Tensor length = Plain.lengths(segments);
      Tensor mask = taken(x.size(0), segments, mode).reshape(sequences, x.size(0), 1);
      Tensor wide = Plain.wide(x);
      Tensor lowest = Plain.number(x.device(), Double.NEGATIVE_INFINITY);
      Tensor y =
          switch (mode) {
            case MAX -> Elementwise.keepWhere(max(Plain.where(mask, wide, lowest), 1), length);
            case MEAN ->
                Elementwise.divide(
                    sum(Elementwise.keepWhere(wide, mask), 1),
                    Elementwise.maximum(length, Plain.number(x.device(), 1)));
            case FIRST, LAST -> sum(Elementwise.keepWhere(wide, mask), 1);
          };
      return scope.keep(Elementwise.cast(y, x.dtype()));
    }
  }

  /** 1 for the tokens that a sequence's vector is made of: F32 [sequences, tokens]. */
  static Tensor taken(long tokens, Segments segments, PoolingMode mode) {
    Tensor length = Plain.lengths(segments);
    Tensor at =
        Elementwise.subtract(Plain.count(segments.device(), tokens), Plain.begins(segments));
    Tensor inside =
        Elementwise.multiply(
            Plain.not(Elementwise.less(at, Plain.number(segments.device(), 0))),
            Elementwise.less(at, length));
    return switch (mode) {
      case MEAN, MAX -> inside;
      case FIRST -> Elementwise.multiply(inside, Plain.not(at));
      case LAST -> Elementwise.multiply(inside, Elementwise.equal(at, Plain.plus(length, -1)));
    };
  }

  private static Tensor reduce(Tensor x, Reduction reduction, int... axes) {
    boolean[] reduced = new boolean[x.rank()];
    for (int axis : axes) {
      int a = Layouts.axis("reduce", x, axis);
      if (reduced[a]) {
        throw new IllegalArgumentException(
            "reduce: axes %s of %s name one twice".formatted(Arrays.toString(axes), x));
      }
      reduced[a] = true;
    }
    if (axes.length == 0) {
      Arrays.fill(reduced, true);
    }
    int[] kept = IntStream.range(0, x.rank()).filter(a -> !reduced[a]).toArray();
    long[] shape = IntStream.of(kept).mapToLong(x::size).toArray();
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("reduce", x);
    Tensor result = Tensor.empty(x.device(), x.dtype(), shape);
    try (var _ = Tape.pause()) {
      Calls.run(result, (k, y) -> reduce(k, x, reduction, y, reduced), x);
    }
    if (node != null) {
      ReductionGradients.reduce(node, x, reduction, reduced, result);
    }
    return result;
  }

  private static void reduce(
      Kernels k, Tensor x, Reduction reduction, Tensor y, boolean... reduced) {
    Operand source = asThree(x, reduced);
    if (source != null) {
      k.run(new Reduce(source, reduction, two(y, source)));
      return;
    }
    IntStream kept = IntStream.range(0, x.rank()).filter(a -> !reduced[a]);
    IntStream gone = IntStream.range(0, x.rank()).filter(a -> reduced[a]);
    try (Tensor copy = Layouts.permute(x, IntStream.concat(kept, gone).toArray())) {
      boolean[] behind = new boolean[x.rank()];
      Arrays.fill(behind, y.rank(), x.rank(), true);
      Operand copied = asThree(copy, behind);
      k.run(new Reduce(copied, reduction, two(y, copied)));
    }
  }

  private static Operand two(Tensor y, Operand source) {
    return y.reshape(source.size(0), source.size(2)).operand();
  }

  /**
   * x as [before, reduced, behind], or null where a copy is needed: where the reduced axes are not
   * neighbours, or the axes of one of the three parts do not lie in memory as one.
   */
  private static Operand asThree(Tensor x, boolean... reduced) {
    long[] shape = {1, 1, 1};
    long[] strides = {0, 0, 0};
    int part = 0;
    for (int axis = 0; axis < x.rank(); axis++) {
      long size = x.size(axis);
      long stride = x.operand().stride(axis);
      if (reduced[axis] == (part != 1)) {
        part++;
      }
      if (part > 2) {
        return null;
      }
      if (size != 1) {
        if (shape[part] != 1 && strides[part] != size * stride && x.count() > 0) {
          return null;
        }
        shape[part] *= size;
        strides[part] = stride;
      }
    }
    return new Operand(x.operand().buffer(), x.operand().offset(), x.dtype(), shape, strides);
  }
}
