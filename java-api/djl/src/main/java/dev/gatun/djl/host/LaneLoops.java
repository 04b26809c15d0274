package dev.gatun.djl.host;

import java.lang.foreign.MemorySegment;

/** Loops that look at all places of an axis together: a lane. */
final class LaneLoops {
  /** What is made of a lane, in its place. */
  interface Doubles {
    void run(double[] lane);
  }

  /** The same of whole numbers. */
  interface Longs {
    void run(long[] lane);
  }

  /** What a lane's order is, the place of each in turn. */
  interface Order {
    void of(double[] doubles, long[] longs, int[] places);
  }

  private LaneLoops() {}

  /** y's lanes are what becomes of x's, which are as long. */
  static void doubles(Strided x, Strided y, int axis, Doubles function) {
    double[] lane = new double[Math.toIntExact(x.size(axis))];
    forEachLane(
        x,
        y,
        axis,
        (from, to) -> {
          read(x, axis, from, lane);
          function.run(lane);
          write(y, axis, to, lane);
        });
  }

  /** y's lanes are what becomes of x's, which are as long. */
  static void longs(Strided x, Strided y, int axis, Longs function) {
    long[] lane = new long[Math.toIntExact(x.size(axis))];
    forEachLane(
        x,
        y,
        axis,
        (from, to) -> {
          read(x, axis, from, lane);
          function.run(lane);
          write(y, axis, to, lane);
        });
  }

  /** Where a lane of each array begins, in bytes. */
  interface Lane {
    void run(long from, long to);
  }

  /** Visits the lanes of two arrays whose other axes are equal. */
  static void forEachLane(Strided x, Strided y, int axis, Lane lane) {
    Walk walk = Walk.of(x.sliced(axis, 0, 1, 1), y.sliced(axis, 0, 1, 1));
    walk.forEach(
        (at, count) -> {
          for (int i = 0; i < count; i++) {
            lane.run(at[0] + i * walk.step(0), at[1] + i * walk.step(1));
          }
        });
  }

  static long step(Strided x, int axis) {
    return x.stride(axis) * x.codec().bytes();
  }

  static void read(Strided x, int axis, long at, double[] lane) {
    x.codec().read(x.store().segment(), at, step(x, axis), lane, lane.length);
  }

  static void read(Strided x, int axis, long at, long[] lane) {
    x.codec().read(x.store().segment(), at, step(x, axis), lane, lane.length);
  }

  static void write(Strided y, int axis, long at, double[] lane) {
    y.codec().write(y.store().segment(), at, step(y, axis), lane, (int) y.size(axis));
  }

  static void write(Strided y, int axis, long at, long[] lane) {
    y.codec().write(y.store().segment(), at, step(y, axis), lane, (int) y.size(axis));
  }

  static void softmax(double[] lane, boolean log) {
    double most = Double.NEGATIVE_INFINITY;
    for (double value : lane) {
      most = Math.max(most, value);
    }
    double sum = 0;
    for (double value : lane) {
      sum += Math.exp(value - most);
    }
    double logSum = Math.log(sum);
    for (int i = 0; i < lane.length; i++) {
      lane[i] = log ? lane[i] - most - logSum : Math.exp(lane[i] - most) / sum;
    }
  }

  /**
   * The places of each lane's elements in their order, and the elements, as far as the results are
   * long.
   *
   * @param places INT64; null for none
   * @param values of x's type; null for none
   */
  static void sort(Strided x, int axis, boolean descending, Strided places, Strided values) {
    Strided first = places == null ? values : places;
    Strided second = values == null ? places : values;
    // The lanes of both results are visited together, by x's: their other axes are equal.
    Walk walk =
        Walk.of(x.sliced(axis, 0, 1, 1), first.sliced(axis, 0, 1, 1), second.sliced(axis, 0, 1, 1));
    walk.inParts(() -> sorting(walk, x, axis, descending, places, values), x.size(axis));
  }

  private static Walk.Row sorting(
      Walk walk, Strided x, int axis, boolean descending, Strided places, Strided values) {
    int length = Math.toIntExact(x.size(axis));
    boolean whole = Types.isWhole(x.type());
    double[] doubles = new double[whole ? 0 : length];
    long[] longs = new long[whole ? length : 0];
    LaneOrder order = new LaneOrder(length);
    MemorySegment memory = x.store().segment();
    long step = step(x, axis);
    return (at, count) -> {
      for (int lane = 0; lane < count; lane++) {
        long from = at[0] + lane * walk.step(0);
        int[] sorted;
        if (whole) {
          x.codec().read(memory, from, step, longs, length);
          sorted = order.of(longs, descending);
        } else {
          x.codec().read(memory, from, step, doubles, length);
          sorted = order.of(doubles, descending);
        }
        if (places != null) {
          put(sorted, places, axis, at[1] + lane * walk.step(1));
        }
        if (values != null) {
          take(sorted, x, axis, from, values, at[2] + lane * walk.step(2));
        }
      }
    };
  }

  private static void put(int[] sorted, Strided places, int axis, long to) {
    MemorySegment memory = places.store().segment();
    long width = step(places, axis);
    for (int i = 0; i < places.size(axis); i++) {
      places.codec().put(memory, to + i * width, (long) sorted[i]);
    }
  }

  private static void take(int[] sorted, Strided x, int axis, long from, Strided values, long to) {
    MemorySegment source = x.store().segment();
    MemorySegment target = values.store().segment();
    long step = step(x, axis);
    long width = step(values, axis);
    for (int i = 0; i < values.size(axis); i++) {
      MemorySegment.copy(
          source, from + sorted[i] * step, target, to + i * width, x.codec().bytes());
    }
  }

  /** The place of the first of the largest, or smallest, elements; NaN is either. */
  static void extreme(Strided x, int axis, boolean largest, Strided y) {
    int length = Math.toIntExact(x.size(axis));
    if (Types.isWhole(x.type())) {
      long[] lane = new long[length];
      forEachLane(
          x,
          y,
          axis,
          (from, to) -> {
            read(x, axis, from, lane);
            int best = 0;
            for (int i = 1; i < length; i++) {
              if (largest ? lane[i] > lane[best] : lane[i] < lane[best]) {
                best = i;
              }
            }
            y.codec().put(y.store().segment(), to, (long) best);
          });
      return;
    }
    double[] lane = new double[length];
    forEachLane(
        x,
        y,
        axis,
        (from, to) -> {
          read(x, axis, from, lane);
          int best = 0;
          for (int i = 1; i < length && !Double.isNaN(lane[best]); i++) {
            if (Double.isNaN(lane[i]) || (largest ? lane[i] > lane[best] : lane[i] < lane[best])) {
              best = i;
            }
          }
          y.codec().put(y.store().segment(), to, (long) best);
        });
  }
}
