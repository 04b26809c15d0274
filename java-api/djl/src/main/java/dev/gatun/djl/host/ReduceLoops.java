package dev.gatun.djl.host;

import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;

/** Loops that make one element of many. Sums of floating-point numbers are kept in double. */
final class ReduceLoops {
  private ReduceLoops() {}

  /**
   * @param map what is made of each element first, of floating-point numbers; null for nothing
   * @param y row-major without gaps, of x's shape with a length of 1 on each axis that is reduced
   */
  static void reduce(ReduceOp op, DoubleUnaryOperator map, Strided x, Strided y) {
    int results = Math.toIntExact(y.count());
    Strided spread = y.expanded(op.name(), x.shape());
    Walk walk = Walk.of(x, spread);
    int width = y.codec().bytes();
    if (Types.isWhole(x.type()) && map == null && Types.isWhole(y.type())) {
      reduceLongs(op, x, y, walk, new long[results], width);
      return;
    }
    double[] sums = new double[results];
    Arrays.fill(sums, op.first());
    double[] row = new double[walk.width()];
    var function = op.ofDoubles();
    walk.forEach(
        (at, count) -> {
          x.codec().read(x.store().segment(), at[0], walk.step(0), row, count);
          if (map != null) {
            for (int i = 0; i < count; i++) {
              row[i] = map.applyAsDouble(row[i]);
            }
          }
          int to = (int) (at[1] / width);
          int step = (int) (walk.step(1) / width);
          for (int i = 0; i < count; i++) {
            sums[to] = function.applyAsDouble(sums[to], row[i]);
            to += step;
          }
        });
    for (int i = 0; i < results; i++) {
      y.codec().put(y.store().segment(), (long) i * width, sums[i]);
    }
  }

  private static void reduceLongs(
      ReduceOp op, Strided x, Strided y, Walk walk, long[] sums, int width) {
    Arrays.fill(sums, op.firstLong());
    long[] row = new long[walk.width()];
    var function = op.ofLongs();
    walk.forEach(
        (at, count) -> {
          x.codec().read(x.store().segment(), at[0], walk.step(0), row, count);
          int to = (int) (at[1] / width);
          int step = (int) (walk.step(1) / width);
          for (int i = 0; i < count; i++) {
            sums[to] = function.applyAsLong(sums[to], row[i]);
            to += step;
          }
        });
    for (int i = 0; i < sums.length; i++) {
      y.codec().put(y.store().segment(), (long) i * width, sums[i]);
    }
  }
}
