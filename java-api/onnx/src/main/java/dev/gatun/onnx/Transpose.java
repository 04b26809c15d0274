package dev.gatun.onnx;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Exchanges the axes of a matrix, in tiles that stay in the cache. */
final class Transpose {
  private static final int TILE = 32;

  private Transpose() {}

  /** Writes {@code from}, of shape [rows, columns], to {@code to}, of shape [columns, rows]. */
  static void copy(MemorySegment from, MemorySegment to, long rows, long columns, int bytes) {
    for (long r = 0; r < rows; r += TILE) {
      long rEnd = Math.min(rows, r + TILE);
      for (long c = 0; c < columns; c += TILE) {
        long cEnd = Math.min(columns, c + TILE);
        switch (bytes) {
          case 1 -> tile1(from, to, rows, columns, r, rEnd, c, cEnd);
          case 2 -> tile2(from, to, rows, columns, r, rEnd, c, cEnd);
          case 4 -> tile4(from, to, rows, columns, r, rEnd, c, cEnd);
          default -> tile8(from, to, rows, columns, r, rEnd, c, cEnd);
        }
      }
    }
  }

  private static void tile1(
      MemorySegment from,
      MemorySegment to,
      long rows,
      long columns,
      long r,
      long rEnd,
      long c,
      long cEnd) {
    for (long i = r; i < rEnd; i++) {
      for (long j = c; j < cEnd; j++) {
        to.set(
            ValueLayout.JAVA_BYTE,
            (j * rows + i) * 1L,
            from.get(ValueLayout.JAVA_BYTE, (i * columns + j) * 1L));
      }
    }
  }

  private static void tile2(
      MemorySegment from,
      MemorySegment to,
      long rows,
      long columns,
      long r,
      long rEnd,
      long c,
      long cEnd) {
    for (long i = r; i < rEnd; i++) {
      for (long j = c; j < cEnd; j++) {
        to.set(
            ValueLayout.JAVA_SHORT_UNALIGNED,
            (j * rows + i) * 2L,
            from.get(ValueLayout.JAVA_SHORT_UNALIGNED, (i * columns + j) * 2L));
      }
    }
  }

  private static void tile4(
      MemorySegment from,
      MemorySegment to,
      long rows,
      long columns,
      long r,
      long rEnd,
      long c,
      long cEnd) {
    for (long i = r; i < rEnd; i++) {
      for (long j = c; j < cEnd; j++) {
        to.set(
            ValueLayout.JAVA_INT_UNALIGNED,
            (j * rows + i) * 4L,
            from.get(ValueLayout.JAVA_INT_UNALIGNED, (i * columns + j) * 4L));
      }
    }
  }

  private static void tile8(
      MemorySegment from,
      MemorySegment to,
      long rows,
      long columns,
      long r,
      long rEnd,
      long c,
      long cEnd) {
    for (long i = r; i < rEnd; i++) {
      for (long j = c; j < cEnd; j++) {
        to.set(
            ValueLayout.JAVA_LONG_UNALIGNED,
            (j * rows + i) * 8L,
            from.get(ValueLayout.JAVA_LONG_UNALIGNED, (i * columns + j) * 8L));
      }
    }
  }
}
