package dev.gatun.djl.host;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;

/** Loops that lay windows of arrays out as columns, and add columns to arrays. */
final class WindowLoops {
  /** From so many elements of columns on several threads pay. */
  private static final long MANY = 1 << 16;

  /** A run of windows, all of whose places of one tap lie inside the array. */
  private interface Run {
    /**
     * @param inside the first element's place in the array
     * @param column its place in the columns
     * @param count how many
     */
    void of(long inside, long column, int count);
  }

  private WindowLoops() {}

  /**
   * Each window's places as a column, 0 in the padding.
   *
   * @param x [planes, inner], row-major without gaps
   * @param y [planes, taps, windows], the same
   */
  static void unfold(Windows windows, Strided x, Strided y) {
    int bytes = x.codec().bytes();
    int step = windows.stride()[2];
    MemorySegment from = x.store().segment();
    MemorySegment to = y.store().segment();
    to.asSlice(y.offset() * bytes, y.count() * bytes).fill((byte) 0);
    forEachRun(
        windows,
        x,
        y,
        (inside, column, count) -> {
          if (step == 1) {
            MemorySegment.copy(from, inside * bytes, to, column * bytes, (long) count * bytes);
          } else if (bytes == Float.BYTES) {
            for (int i = 0; i < count; i++) {
              to.set(
                  JAVA_FLOAT_UNALIGNED,
                  (column + i) * Float.BYTES,
                  from.get(JAVA_FLOAT_UNALIGNED, (inside + (long) i * step) * Float.BYTES));
            }
          } else {
            for (int i = 0; i < count; i++) {
              MemorySegment.copy(
                  from, (inside + (long) i * step) * bytes, to, (column + i) * bytes, bytes);
            }
          }
        });
  }

  /**
   * Adds each column to its window's places.
   *
   * @param x [planes, taps, windows], row-major without gaps
   * @param y [planes, inner], the same, of the same floating-point type
   */
  static void fold(Windows windows, Strided x, Strided y) {
    Codec codec = x.codec();
    int bytes = codec.bytes();
    int step = windows.stride()[2];
    MemorySegment from = x.store().segment();
    MemorySegment to = y.store().segment();
    to.asSlice(y.offset() * bytes, y.count() * bytes).fill((byte) 0);
    forEachRun(
        windows,
        y,
        x,
        (inside, column, count) -> {
          for (int i = 0; i < count; i++) {
            long at = (inside + (long) i * step) * bytes;
            long source = (column + i) * bytes;
            if (codec == Codec.FLOAT32) {
              float sum = to.get(JAVA_FLOAT_UNALIGNED, at) + from.get(JAVA_FLOAT_UNALIGNED, source);
              to.set(JAVA_FLOAT_UNALIGNED, at, sum);
            } else {
              codec.put(to, at, codec.toDouble(to, at) + codec.toDouble(from, source));
            }
          }
        });
  }

  /** The planes know nothing of each other, so that several threads share them. */
  private static void forEachRun(Windows windows, Strided array, Strided columns, Run run) {
    int planes = Math.toIntExact(array.count() / Math.max(1, windows.inner()));
    IntStream all = IntStream.range(0, planes);
    (columns.count() < MANY ? all : all.parallel())
        .forEach(plane -> forEachRun(windows, array, columns, plane, run));
  }

  private static void forEachRun(
      Windows windows, Strided array, Strided columns, long plane, Run run) {
    int[] in = windows.in();
    int[] out = windows.out();
    int[] kernel = windows.kernel();
    long first = array.offset() + plane * windows.inner();
    long column = columns.offset() + plane * kernel[0] * kernel[1] * kernel[2] * windows.outer();
    for (int a = 0; a < kernel[0]; a++) {
      for (int b = 0; b < kernel[1]; b++) {
        for (int c = 0; c < kernel[2]; c++, column += windows.outer()) {
          int begin = begin(windows, 2, c);
          int end = end(windows, 2, c);
          int offset = c * windows.dilation()[2] - windows.padding()[2];
          for (int i = begin(windows, 0, a); i < end(windows, 0, a) && begin < end; i++) {
            int x = place(windows, 0, i, a);
            for (int j = begin(windows, 1, b); j < end(windows, 1, b); j++) {
              int y = place(windows, 1, j, b);
              long row = first + ((long) x * in[1] + y) * in[2];
              run.of(
                  row + (long) begin * windows.stride()[2] + offset,
                  column + ((long) i * out[1] + j) * out[2] + begin,
                  end - begin);
            }
          }
        }
      }
    }
  }

  private static int place(Windows windows, int axis, int window, int tap) {
    return window * windows.stride()[axis]
        - windows.padding()[axis]
        + tap * windows.dilation()[axis];
  }

  /** The first window whose place of a tap lies inside. */
  private static int begin(Windows windows, int axis, int tap) {
    int outside = windows.padding()[axis] - tap * windows.dilation()[axis];
    return Math.max(0, Math.ceilDiv(outside, windows.stride()[axis]));
  }

  /** The window behind the last one. */
  private static int end(Windows windows, int axis, int tap) {
    int room = windows.in()[axis] - 1 + windows.padding()[axis] - tap * windows.dilation()[axis];
    return room < 0 ? 0 : Math.min(windows.out()[axis], room / windows.stride()[axis] + 1);
  }
}
