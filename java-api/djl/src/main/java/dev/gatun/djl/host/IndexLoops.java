package dev.gatun.djl.host;

import java.lang.foreign.MemorySegment;

/** Loops that copy elements from and to places that other arrays name. */
final class IndexLoops {
  /** What is done at a place. */
  private enum Way {
    READ,
    WRITE,
    ADD
  }

  private IndexLoops() {}

  /** The whole numbers of an array in row-major order. */
  static long[] numbers(Strided x) {
    long[] numbers = new long[Math.toIntExact(x.count())];
    Walk walk = Walk.of(x);
    long[] row = new long[Walk.ROW];
    int[] done = new int[1];
    walk.forEach(
        (at, count) -> {
          x.codec().read(x.store().segment(), at[0], walk.step(0), row, count);
          System.arraycopy(row, 0, numbers, done[0], count);
          done[0] += count;
        });
    return numbers;
  }

  /** An index that counts from the end where it is negative. */
  static long place(String op, long index, long length) {
    if (index < -length || index >= length) {
      throw Refusal.wrong("%s: index %d is outside of %d to %d", op, index, -length, length - 1);
    }
    return index < 0 ? index + length : index;
  }

  /** An index that counts from 0 alone, as PyTorch's gather has it. */
  private static long counted(String op, long index, long length) {
    if (index < 0 || index >= length) {
      throw Refusal.wrong("%s: index %d is outside of 0 to %d", op, index, length - 1);
    }
    return index;
  }

  /** y[.., i, ..] = x[.., index[.., i, ..], ..] along an axis; index has y's shape. */
  static void gather(Strided x, Strided index, int axis, Strided y) {
    Strided within = x;
    for (int i = 0; i < x.rank(); i++) {
      if (i != axis) {
        within = within.sliced(i, 0, index.size(i), 1);
      }
    }
    along(within.sliced(axis, 0, 1, 1), index, y, x.size(axis), step(x, axis), Way.READ);
  }

  /** y[.., index[.., i, ..], ..] = x[.., i, ..] along an axis; index has x's shape. */
  static void scatter(Strided y, Strided index, int axis, Strided x) {
    scatter(y, index, axis, x, Way.WRITE);
  }

  /** The same, whose elements are added to what is there. */
  static void scatterAdd(Strided y, Strided index, int axis, Strided x) {
    scatter(y, index, axis, x, Way.ADD);
  }

  private static void scatter(Strided y, Strided index, int axis, Strided x, Way way) {
    Strided within = y;
    for (int i = 0; i < y.rank(); i++) {
      if (i != axis) {
        within = within.sliced(i, 0, index.size(i), 1);
      }
    }
    along(within.sliced(axis, 0, 1, 1), index, x, y.size(axis), step(y, axis), way);
  }

  private static long step(Strided x, int axis) {
    return x.stride(axis) * x.codec().bytes();
  }

  private static void along(
      Strided first, Strided index, Strided other, long length, long step, Way way) {
    long[] shape = other.shape();
    Strided lanes = first.expanded("gather", shape);
    Walk walk = Walk.of(other, index, lanes);
    MemorySegment indexed = first.store().segment();
    MemorySegment memory = other.store().segment();
    int bytes = other.codec().bytes();
    long[] places = new long[Walk.ROW];
    String op = way == Way.READ ? "gather" : "scatter";
    Codec codec = other.codec();
    walk.forEach(
        (at, count) -> {
          index.codec().read(index.store().segment(), at[1], walk.step(1), places, count);
          for (int i = 0; i < count; i++) {
            long there = at[2] + i * walk.step(2) + counted(op, places[i], length) * step;
            long here = at[0] + i * walk.step(0);
            switch (way) {
              case READ -> MemorySegment.copy(indexed, there, memory, here, bytes);
              case WRITE -> MemorySegment.copy(memory, here, indexed, there, bytes);
              default -> {
                double sum = codec.toDouble(indexed, there) + codec.toDouble(memory, here);
                codec.put(indexed, there, sum);
              }
            }
          }
        });
  }

  static void indexed(Strided x, int[] axes, long[][] indices, Strided y, boolean puts) {
    indexed(x, axes, indices, y, puts ? Way.WRITE : Way.READ);
  }

  static void indexedAdd(Strided x, int[] axes, long[][] indices, Strided y) {
    indexed(x, axes, indices, y, Way.ADD);
  }

  private static void indexed(Strided x, int[] axes, long[][] indices, Strided y, Way way) {
    int places = Math.toIntExact(y.size(0));
    for (int place = 0; place < places; place++) {
      Strided there = x;
      for (int i = axes.length - 1; i >= 0; i--) {
        there = there.selected(axes[i], place("index", indices[i][place], x.size(axes[i])));
      }
      Strided here = y.selected(0, place);
      switch (way) {
        case READ -> ElementLoops.copy(there, here);
        case WRITE -> ElementLoops.copy(here, there);
        default -> ElementLoops.binary(BinaryOp.ADD, x.type(), there, here, there);
      }
    }
  }

  /** The elements where a mask of the same shape is not 0, in row-major order. */
  static long countTrue(Strided mask) {
    Walk walk = Walk.of(mask);
    long[] row = new long[Walk.ROW];
    long[] sum = new long[1];
    walk.forEach(
        (at, count) -> {
          mask.codec().read(mask.store().segment(), at[0], walk.step(0), row, count);
          for (int i = 0; i < count; i++) {
            sum[0] += row[i] != 0 ? 1 : 0;
          }
        });
    return sum[0];
  }

  /** y, of one axis, has the elements of x where the mask is not 0; or gives them to x. */
  static void masked(Strided x, Strided mask, Strided y, boolean puts) {
    Walk walk = Walk.of(x, mask);
    long[] row = new long[Walk.ROW];
    int bytes = x.codec().bytes();
    long step = y.rank() == 0 || y.size(0) == 1 ? 0 : step(y, 0);
    long[] next = {y.offset() * bytes};
    walk.forEach(
        (at, count) -> {
          mask.codec().read(mask.store().segment(), at[1], walk.step(1), row, count);
          for (int i = 0; i < count; i++) {
            if (row[i] != 0) {
              long here = at[0] + i * walk.step(0);
              if (puts) {
                MemorySegment.copy(y.store().segment(), next[0], x.store().segment(), here, bytes);
              } else {
                MemorySegment.copy(x.store().segment(), here, y.store().segment(), next[0], bytes);
              }
              next[0] += step;
            }
          }
        });
  }
}
