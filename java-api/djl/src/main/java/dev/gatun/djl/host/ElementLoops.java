package dev.gatun.djl.host;

import ai.djl.ndarray.types.DataType;
import java.lang.foreign.MemorySegment;
import java.util.function.DoubleUnaryOperator;
import java.util.function.LongUnaryOperator;

/** Loops over elements by themselves. Results may lie where the inputs do. */
final class ElementLoops {
  private ElementLoops() {}

  /** y = x, in y's type. */
  static void copy(Strided x, Strided y) {
    Walk walk = Walk.of(y, x);
    MemorySegment from = x.store().segment();
    MemorySegment to = y.store().segment();
    Codec source = x.codec();
    Codec target = y.codec();
    if (source == target) {
      copySame(walk, source.bytes(), from, to);
    } else if (Types.isWhole(x.type()) && Types.isWhole(y.type())) {
      long[] row = new long[Walk.ROW];
      walk.forEach(
          (at, count) -> {
            source.read(from, at[1], walk.step(1), row, count);
            target.write(to, at[0], walk.step(0), row, count);
          });
    } else {
      double[] row = new double[Walk.ROW];
      walk.forEach(
          (at, count) -> {
            source.read(from, at[1], walk.step(1), row, count);
            target.write(to, at[0], walk.step(0), row, count);
          });
    }
  }

  private static void copySame(Walk walk, int bytes, MemorySegment from, MemorySegment to) {
    if (walk.step(0) == bytes && walk.step(1) == bytes) {
      walk.forEach((at, count) -> MemorySegment.copy(from, at[1], to, at[0], (long) count * bytes));
      return;
    }
    walk.forEach(
        (at, count) -> {
          for (int i = 0; i < count; i++) {
            MemorySegment.copy(from, at[1] + i * walk.step(1), to, at[0] + i * walk.step(0), bytes);
          }
        });
  }

  static void unary(UnaryOp op, Strided x, Strided y) {
    if (Types.isWhole(x.type()) && op.keepsWhole()) {
      mapLongs(op.ofLongs(), x, y);
    } else {
      mapDoubles(op.ofDoubles(), x, y);
    }
  }

  static void mapDoubles(DoubleUnaryOperator function, Strided x, Strided y) {
    Walk walk = Walk.of(y, x);
    double[] row = new double[Walk.ROW];
    walk.forEach(
        (at, count) -> {
          x.codec().read(x.store().segment(), at[1], walk.step(1), row, count);
          for (int i = 0; i < count; i++) {
            row[i] = function.applyAsDouble(row[i]);
          }
          y.codec().write(y.store().segment(), at[0], walk.step(0), row, count);
        });
  }

  static void map(ArrayKernels.Ternary function, Strided a, Strided b, Strided c, Strided y) {
    Walk walk = Walk.of(y, a, b, c);
    double[] first = new double[Walk.ROW];
    double[] second = new double[Walk.ROW];
    double[] third = new double[Walk.ROW];
    walk.forEach(
        (at, count) -> {
          a.codec().read(a.store().segment(), at[1], walk.step(1), first, count);
          b.codec().read(b.store().segment(), at[2], walk.step(2), second, count);
          c.codec().read(c.store().segment(), at[3], walk.step(3), third, count);
          for (int i = 0; i < count; i++) {
            first[i] = function.of(first[i], second[i], third[i]);
          }
          y.codec().write(y.store().segment(), at[0], walk.step(0), first, count);
        });
  }

  static void mapLongs(LongUnaryOperator function, Strided x, Strided y) {
    Walk walk = Walk.of(y, x);
    long[] row = new long[Walk.ROW];
    walk.forEach(
        (at, count) -> {
          x.codec().read(x.store().segment(), at[1], walk.step(1), row, count);
          for (int i = 0; i < count; i++) {
            row[i] = function.applyAsLong(row[i]);
          }
          y.codec().write(y.store().segment(), at[0], walk.step(0), row, count);
        });
  }

  /** y = op(a, b), whose elements are first taken as numbers of a common type. */
  static void binary(BinaryOp op, DataType common, Strided a, Strided b, Strided y) {
    Walk walk = Walk.of(y, a, b);
    if (Types.isWhole(common) && op.keepsWhole()) {
      long[] left = new long[Walk.ROW];
      long[] right = new long[Walk.ROW];
      var function = op.ofLongs();
      walk.forEach(
          (at, count) -> {
            a.codec().read(a.store().segment(), at[1], walk.step(1), left, count);
            b.codec().read(b.store().segment(), at[2], walk.step(2), right, count);
            for (int i = 0; i < count; i++) {
              left[i] = function.applyAsLong(left[i], right[i]);
            }
            y.codec().write(y.store().segment(), at[0], walk.step(0), left, count);
          });
      return;
    }
    double[] left = new double[Walk.ROW];
    double[] right = new double[Walk.ROW];
    var function = op.ofDoubles();
    boolean narrow = common != DataType.FLOAT64;
    walk.forEach(
        (at, count) -> {
          a.codec().read(a.store().segment(), at[1], walk.step(1), left, count);
          b.codec().read(b.store().segment(), at[2], walk.step(2), right, count);
          if (narrow) {
            // Numbers that the common type cannot hold are rounded before the operation.
            round(a.type(), left, count);
            round(b.type(), right, count);
          }
          for (int i = 0; i < count; i++) {
            left[i] = function.applyAsDouble(left[i], right[i]);
          }
          y.codec().write(y.store().segment(), at[0], walk.step(0), left, count);
        });
  }

  private static void round(DataType type, double[] row, int count) {
    if (type != DataType.FLOAT64 && !(type.isInteger() && type.getNumOfBytes() > 2)) {
      return;
    }
    for (int i = 0; i < count; i++) {
      row[i] = (float) row[i];
    }
  }

  /** y = condition ? a : b. */
  static void where(Strided condition, Strided a, Strided b, Strided y) {
    Walk walk = Walk.of(y, condition, a, b);
    long[] chosen = new long[Walk.ROW];
    if (Types.isWhole(y.type())) {
      long[] left = new long[Walk.ROW];
      long[] right = new long[Walk.ROW];
      walk.forEach(
          (at, count) -> {
            condition.codec().read(condition.store().segment(), at[1], walk.step(1), chosen, count);
            a.codec().read(a.store().segment(), at[2], walk.step(2), left, count);
            b.codec().read(b.store().segment(), at[3], walk.step(3), right, count);
            for (int i = 0; i < count; i++) {
              left[i] = chosen[i] != 0 ? left[i] : right[i];
            }
            y.codec().write(y.store().segment(), at[0], walk.step(0), left, count);
          });
      return;
    }
    double[] left = new double[Walk.ROW];
    double[] right = new double[Walk.ROW];
    walk.forEach(
        (at, count) -> {
          condition.codec().read(condition.store().segment(), at[1], walk.step(1), chosen, count);
          a.codec().read(a.store().segment(), at[2], walk.step(2), left, count);
          b.codec().read(b.store().segment(), at[3], walk.step(3), right, count);
          for (int i = 0; i < count; i++) {
            left[i] = chosen[i] != 0 ? left[i] : right[i];
          }
          y.codec().write(y.store().segment(), at[0], walk.step(0), left, count);
        });
  }

  /** Every element of y is one number. */
  static void fill(Strided y, double value) {
    Walk walk = Walk.of(y);
    double[] row = new double[Walk.ROW];
    java.util.Arrays.fill(row, value);
    walk.forEach(
        (at, count) -> y.codec().write(y.store().segment(), at[0], walk.step(0), row, count));
  }
}
