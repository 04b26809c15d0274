package dev.gatun.djl.host;

import ai.djl.ndarray.types.DataType;
import dev.gatun.kernels.api.call.elementwise.RandomDistribution;
import dev.gatun.kernels.api.call.optim.UpdateRule;
import java.lang.foreign.MemorySegment;
import java.util.function.DoubleSupplier;
import java.util.function.DoubleUnaryOperator;

/** The processor's: plain loops. */
final class HostKernels implements ArrayKernels {
  static final HostKernels INSTANCE = new HostKernels();

  private HostKernels() {}

  @Override
  public void copy(Strided x, Strided y) {
    if (!LibraryKernels.copy(x, y)) {
      Walk.holding(() -> ElementLoops.copy(x, y), x, y);
    }
  }

  @Override
  public void write(Strided y, MemorySegment bytes) {
    long count = y.count() * y.codec().bytes();
    long at = y.offset() * y.codec().bytes();
    Walk.holding(() -> MemorySegment.copy(bytes, 0, y.store().segment(), at, count), y);
  }

  @Override
  public void read(Strided x, MemorySegment bytes) {
    if (x.count() == 0) {
      // A view of nothing may begin behind the end.
      return;
    }
    if (!x.isContiguous()) {
      Strided whole = Strided.allocate(x.type(), x.shape());
      try {
        copy(x, whole);
        read(whole, bytes);
      } finally {
        whole.store().release();
      }
      return;
    }
    long count = x.count() * x.codec().bytes();
    long at = x.offset() * x.codec().bytes();
    Walk.holding(() -> MemorySegment.copy(x.store().segment(), at, bytes, 0, count), x);
  }

  @Override
  public void fill(Strided y, double value) {
    Walk.holding(() -> ElementLoops.fill(y, value), y);
  }

  @Override
  public boolean hasComplex(UnaryOp op) {
    return ComplexLoops.has(op);
  }

  @Override
  public boolean hasComplex(BinaryOp op) {
    return ComplexLoops.has(op);
  }

  @Override
  public void unary(UnaryOp op, Strided x, Strided y) {
    if (LibraryKernels.unary(op, x, y)) {
      return;
    }
    boolean narrow = x.type() == DataType.FLOAT32 && y.type() == DataType.FLOAT32;
    Walk.holding(
        () -> {
          if (x.type() == DataType.COMPLEX64) {
            ComplexLoops.unary(op, x, y);
          } else if (narrow) {
            FloatLoops.unary(op, x, y);
          } else {
            ElementLoops.unary(op, x, y);
          }
        },
        x,
        y);
  }

  @Override
  public boolean layerNorm(
      Strided x, Strided weight, Strided bias, long columns, float eps, Strided y) {
    return LibraryKernels.layerNorm(x, weight, bias, columns, eps, y);
  }

  @Override
  public boolean adam(
      UpdateRule.Adam rule,
      double rate,
      double decay,
      float limit,
      Strided weight,
      Strided gradient,
      Strided mean,
      Strided square) {
    return LibraryKernels.adam(rule, rate, decay, limit, weight, gradient, mean, square);
  }

  @Override
  public void generate(DoubleSupplier numbers, Strided y) {
    Walk.holding(() -> ElementLoops.generate(numbers, y), y);
  }

  @Override
  public void map(DoubleUnaryOperator function, Strided x, Strided y) {
    Walk.holding(() -> ElementLoops.mapDoubles(function, x, y), x, y);
  }

  @Override
  public void map(Ternary function, Strided a, Strided b, Strided c, Strided y) {
    Walk.holding(() -> ElementLoops.map(function, a, b, c, y), a, b, c, y);
  }

  @Override
  public void binary(BinaryOp op, DataType common, Strided a, Strided b, Strided y) {
    if (LibraryKernels.binary(op, a, b, y) || LibraryKernels.compare(op, a, b, y)) {
      return;
    }
    boolean narrow =
        a.type() == DataType.FLOAT32
            && b.type() == DataType.FLOAT32
            && y.type() == (op.tells() ? DataType.BOOLEAN : DataType.FLOAT32);
    Walk.holding(
        () -> {
          if (common == DataType.COMPLEX64) {
            ComplexLoops.binary(op, a, b, y);
          } else if (narrow) {
            FloatLoops.binary(op, a, b, y);
          } else {
            ElementLoops.binary(op, common, a, b, y);
          }
        },
        a,
        b,
        y);
  }

  @Override
  public void where(Strided condition, Strided a, Strided b, Strided y) {
    if (LibraryKernels.where(condition, a, b, y)) {
      return;
    }
    boolean narrow =
        a.type() == DataType.FLOAT32
            && b.type() == DataType.FLOAT32
            && y.type() == DataType.FLOAT32;
    Walk.holding(
        () -> {
          if (narrow) {
            FloatLoops.where(condition, a, b, y);
          } else {
            ElementLoops.where(condition, a, b, y);
          }
        },
        condition,
        a,
        b,
        y);
  }

  @Override
  public void reduce(ReduceOp op, DoubleUnaryOperator map, Strided x, Strided y) {
    if (map != null || !LibraryKernels.reduce(op, x, y)) {
      Walk.holding(() -> ReduceLoops.reduce(op, map, x, y), x, y);
    }
  }

  @Override
  public void scan(ReduceOp op, Strided x, int axis, Strided y) {
    if (x.count() == 0 || LibraryKernels.scan(op, x, axis, y)) {
      return;
    }
    Walk.holding(
        () -> {
          if (Types.isWhole(y.type())) {
            LaneLoops.longs(
                x,
                y,
                axis,
                lane -> {
                  for (int i = 1; i < lane.length; i++) {
                    lane[i] = op.ofLongs().applyAsLong(lane[i - 1], lane[i]);
                  }
                });
          } else {
            LaneLoops.doubles(
                x,
                y,
                axis,
                lane -> {
                  if (op == ReduceOp.SUM && lane.length > 0) {
                    // From 0 on, so that -0 is it.
                    lane[0] += 0.0;
                  }
                  for (int i = 1; i < lane.length; i++) {
                    lane[i] = op.ofDoubles().applyAsDouble(lane[i - 1], lane[i]);
                  }
                });
          }
        },
        x,
        y);
  }

  @Override
  public void random(
      RandomDistribution distribution,
      float first,
      float second,
      long seed,
      long sequence,
      Strided y) {
    LibraryKernels.random(distribution, first, second, seed, sequence, y);
  }

  @Override
  public void softmax(Strided x, int axis, boolean log, Strided y) {
    if (x.count() > 0 && !LibraryKernels.softmax(x, axis, log, y)) {
      Walk.holding(() -> LaneLoops.doubles(x, y, axis, lane -> LaneLoops.softmax(lane, log)), x, y);
    }
  }

  @Override
  public void extreme(Strided x, int axis, boolean largest, Strided y) {
    Walk.holding(() -> LaneLoops.extreme(x, axis, largest, y), x, y);
  }

  @Override
  public void sort(Strided x, int axis, boolean descending, Strided places, Strided values) {
    if (x.count() == 0 || LibraryKernels.sort(x, axis, descending, places, values)) {
      return;
    }
    Strided first = places == null ? values : places;
    Strided second = values == null ? places : values;
    Walk.holding(() -> LaneLoops.sort(x, axis, descending, places, values), x, first, second);
  }

  @Override
  public void gather(Strided x, Strided index, int axis, Strided y) {
    Walk.holding(() -> IndexLoops.gather(x, index, axis, y), x, index, y);
  }

  @Override
  public void scatter(Strided y, Strided index, int axis, Strided x) {
    Walk.holding(() -> IndexLoops.scatter(y, index, axis, x), y, index, x);
  }

  @Override
  public void scatterAdd(Strided y, Strided index, int axis, Strided x) {
    Walk.holding(() -> IndexLoops.scatterAdd(y, index, axis, x), y, index, x);
  }

  @Override
  public void indexedAdd(Strided x, int[] axes, long[][] indices, Strided y) {
    Walk.holding(() -> IndexLoops.indexedAdd(x, axes, indices, y), x, y);
  }

  @Override
  public long[] numbers(Strided x) {
    long[][] numbers = new long[1][];
    Walk.holding(() -> numbers[0] = IndexLoops.numbers(x), x);
    return numbers[0];
  }

  @Override
  public long countTrue(Strided x) {
    long[] count = new long[1];
    Walk.holding(() -> count[0] = IndexLoops.countTrue(x), x);
    return count[0];
  }

  @Override
  public void indexed(Strided x, int[] axes, long[][] indices, Strided y, boolean puts) {
    Walk.holding(() -> IndexLoops.indexed(x, axes, indices, y, puts), x, y);
  }

  @Override
  public void masked(Strided x, Strided mask, Strided y, boolean puts) {
    Walk.holding(() -> IndexLoops.masked(x, mask, y, puts), x, mask, y);
  }

  @Override
  public void unfold(Windows windows, Strided x, Strided y) {
    Walk.holding(() -> WindowLoops.unfold(windows, x, y), x, y);
  }

  @Override
  public void fold(Windows windows, Strided x, Strided y) {
    Walk.holding(() -> WindowLoops.fold(windows, x, y), x, y);
  }

  @Override
  public void matmul(Strided a, Strided b, Strided y) {
    if (a.count() == 0 || b.count() == 0) {
      // Sums of nothing.
      fill(y, 0);
      return;
    }
    Walk.holding(() -> MatmulLoops.batched(a, b, y), a, b, y);
  }
}
