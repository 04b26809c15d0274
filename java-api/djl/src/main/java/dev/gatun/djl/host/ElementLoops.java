package dev.gatun.djl.host;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import ai.djl.ndarray.types.DataType;
import java.lang.foreign.MemorySegment;
import java.util.function.DoubleSupplier;
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
      walk.inParts(
          () -> {
            long[] row = new long[walk.width()];
            return (at, count) -> {
              source.read(from, at[1], walk.step(1), row, count);
              target.write(to, at[0], walk.step(0), row, count);
            };
          });
    } else {
      walk.inParts(
          () -> {
            double[] row = new double[walk.width()];
            return (at, count) -> {
              source.read(from, at[1], walk.step(1), row, count);
              target.write(to, at[0], walk.step(0), row, count);
            };
          });
    }
  }

  private static void copySame(Walk walk, int bytes, MemorySegment from, MemorySegment to) {
    if (walk.step(0) == bytes && walk.step(1) == bytes) {
      walk.inParts(
          () -> (at, count) -> MemorySegment.copy(from, at[1], to, at[0], (long) count * bytes));
      return;
    }
    long in = walk.step(1);
    long out = walk.step(0);
    walk.inParts(
        () ->
            (at, count) -> {
              switch (bytes) {
                case Integer.BYTES -> {
                  for (int i = 0; i < count; i++) {
                    to.set(
                        JAVA_INT_UNALIGNED,
                        at[0] + i * out,
                        from.get(JAVA_INT_UNALIGNED, at[1] + i * in));
                  }
                }
                case Long.BYTES -> {
                  for (int i = 0; i < count; i++) {
                    to.set(
                        JAVA_LONG_UNALIGNED,
                        at[0] + i * out,
                        from.get(JAVA_LONG_UNALIGNED, at[1] + i * in));
                  }
                }
                default -> {
                  for (int i = 0; i < count; i++) {
                    MemorySegment.copy(from, at[1] + i * in, to, at[0] + i * out, bytes);
                  }
                }
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
    walk.inParts(
        () -> {
          double[] row = new double[walk.width()];
          return (at, count) -> {
            x.codec().read(x.store().segment(), at[1], walk.step(1), row, count);
            for (int i = 0; i < count; i++) {
              row[i] = function.applyAsDouble(row[i]);
            }
            y.codec().write(y.store().segment(), at[0], walk.step(0), row, count);
          };
        });
  }

  /** The elements of y in their order, one after another. */
  static void generate(DoubleSupplier numbers, Strided y) {
    Walk walk = Walk.of(y);
    double[] row = new double[walk.width()];
    walk.forEach(
        (at, count) -> {
          for (int i = 0; i < count; i++) {
            row[i] = numbers.getAsDouble();
          }
          y.codec().write(y.store().segment(), at[0], walk.step(0), row, count);
        });
  }

  static void map(ArrayKernels.Ternary function, Strided a, Strided b, Strided c, Strided y) {
    Walk walk = Walk.of(y, a, b, c);
    walk.inParts(
        () -> {
          double[] first = new double[walk.width()];
          double[] second = new double[walk.width()];
          double[] third = new double[walk.width()];
          return (at, count) -> {
            a.codec().read(a.store().segment(), at[1], walk.step(1), first, count);
            b.codec().read(b.store().segment(), at[2], walk.step(2), second, count);
            c.codec().read(c.store().segment(), at[3], walk.step(3), third, count);
            for (int i = 0; i < count; i++) {
              first[i] = function.of(first[i], second[i], third[i]);
            }
            y.codec().write(y.store().segment(), at[0], walk.step(0), first, count);
          };
        });
  }

  private static void mapLongs(LongUnaryOperator function, Strided x, Strided y) {
    Walk walk = Walk.of(y, x);
    walk.inParts(
        () -> {
          long[] row = new long[walk.width()];
          return (at, count) -> {
            x.codec().read(x.store().segment(), at[1], walk.step(1), row, count);
            for (int i = 0; i < count; i++) {
              row[i] = function.applyAsLong(row[i]);
            }
            y.codec().write(y.store().segment(), at[0], walk.step(0), row, count);
          };
        });
  }

  /** y = op(a, b), whose elements are first taken as numbers of a common type. */
  static void binary(BinaryOp op, DataType common, Strided a, Strided b, Strided y) {
    Walk walk = Walk.of(y, a, b);
    if (Types.isWhole(common) && op.keepsWhole()) {
      walk.inParts(() -> wholeRow(op, walk, a, b, y));
    } else {
      walk.inParts(() -> row(op, common, walk, a, b, y));
    }
  }

  private static Walk.Row wholeRow(BinaryOp op, Walk walk, Strided a, Strided b, Strided y) {
    long[] left = new long[walk.width()];
    long[] right = new long[walk.width()];
    var function = op.ofLongs();
    return (at, count) -> {
      a.codec().read(a.store().segment(), at[1], walk.step(1), left, count);
      b.codec().read(b.store().segment(), at[2], walk.step(2), right, count);
      for (int i = 0; i < count; i++) {
        left[i] = function.applyAsLong(left[i], right[i]);
      }
      y.codec().write(y.store().segment(), at[0], walk.step(0), left, count);
    };
  }

  private static Walk.Row row(
      BinaryOp op, DataType common, Walk walk, Strided a, Strided b, Strided y) {
    double[] left = new double[walk.width()];
    double[] right = new double[walk.width()];
    var function = op.ofDoubles();
    boolean narrow = common != DataType.FLOAT64;
    return (at, count) -> {
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
    };
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
    if (Types.isWhole(y.type())) {
      walk.inParts(() -> wholeChoice(walk, condition, a, b, y));
    } else {
      walk.inParts(() -> choice(walk, condition, a, b, y));
    }
  }

  private static Walk.Row wholeChoice(
      Walk walk, Strided condition, Strided a, Strided b, Strided y) {
    long[] chosen = new long[walk.width()];
    long[] left = new long[walk.width()];
    long[] right = new long[walk.width()];
    return (at, count) -> {
      condition.codec().read(condition.store().segment(), at[1], walk.step(1), chosen, count);
      a.codec().read(a.store().segment(), at[2], walk.step(2), left, count);
      b.codec().read(b.store().segment(), at[3], walk.step(3), right, count);
      for (int i = 0; i < count; i++) {
        left[i] = chosen[i] != 0 ? left[i] : right[i];
      }
      y.codec().write(y.store().segment(), at[0], walk.step(0), left, count);
    };
  }

  private static Walk.Row choice(Walk walk, Strided condition, Strided a, Strided b, Strided y) {
    long[] chosen = new long[walk.width()];
    double[] left = new double[walk.width()];
    double[] right = new double[walk.width()];
    return (at, count) -> {
      condition.codec().read(condition.store().segment(), at[1], walk.step(1), chosen, count);
      a.codec().read(a.store().segment(), at[2], walk.step(2), left, count);
      b.codec().read(b.store().segment(), at[3], walk.step(3), right, count);
      for (int i = 0; i < count; i++) {
        left[i] = chosen[i] != 0 ? left[i] : right[i];
      }
      y.codec().write(y.store().segment(), at[0], walk.step(0), left, count);
    };
  }

  /** Every element of y is one number. */
  static void fill(Strided y, double value) {
    Walk walk = Walk.of(y);
    if (value == 0 && !(1 / value < 0) && y.isContiguous()) {
      long bytes = y.codec().bytes();
      y.store().segment().asSlice(y.offset() * bytes, y.count() * bytes).fill((byte) 0);
      return;
    }
    double[] row = new double[walk.width()];
    java.util.Arrays.fill(row, value);
    walk.forEach(
        (at, count) -> y.codec().write(y.store().segment(), at[0], walk.step(0), row, count));
  }
}
