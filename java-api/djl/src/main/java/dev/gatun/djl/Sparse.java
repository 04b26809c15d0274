package dev.gatun.djl;

import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.SparseFormat;
import dev.gatun.djl.host.ArrayKernels;
import dev.gatun.djl.host.Strided;
import java.util.Arrays;

/**
 * What is kept of a sparse array: some of its elements, or of its rows. All others are 0, and
 * numbers of one place are added up.
 *
 * @param format how a program wrote it
 * @param shape the length of each axis
 * @param places row-major, of each value
 * @param values [places] or, of rows, [places, ...]; has a user of its store
 */
record Sparse(SparseFormat format, long[] shape, long[] places, Strided values) {
  /**
   * Compressed rows.
   *
   * @param starts where each row's values begin, and the end of the last
   * @param columns of each value
   * @param shape [rows, columns]
   */
  static Sparse ofRows(Strided values, long[] starts, long[] columns, long... shape) {
    if (shape.length != 2
        || starts.length != shape[0] + 1
        || starts[0] != 0
        || starts[starts.length - 1] != columns.length
        || columns.length != values.count()) {
      throw new IllegalArgumentException(
          "createCSR: %d values, %d columns and %d row starts, expected a column a value and one start more than rows of shape %s"
              .formatted(values.count(), columns.length, starts.length, Arrays.toString(shape)));
    }
    long[] places = new long[columns.length];
    for (int row = 0; row < shape[0]; row++) {
      if (starts[row + 1] < starts[row]) {
        throw new IllegalArgumentException(
            "createCSR: row %d begins at %d and ends at %d"
                .formatted(row, starts[row], starts[row + 1]));
      }
      for (long i = starts[row]; i < starts[row + 1]; i++) {
        int at = (int) i;
        places[at] = row * shape[1] + within("createCSR", 1, columns[at], shape[1]);
      }
    }
    return new Sparse(SparseFormat.CSR, shape, places, values);
  }

  /**
   * Whole rows.
   *
   * @param values [rows that are there, ...]
   * @param rows of the array, of each of them
   */
  static Sparse ofSomeRows(Strided values, long[] rows, long... shape) {
    long[] given = values.shape();
    if (shape.length == 0
        || given.length != shape.length
        || given[0] != rows.length
        || !Arrays.equals(
            Arrays.copyOfRange(given, 1, given.length),
            Arrays.copyOfRange(shape, 1, shape.length))) {
      throw new IllegalArgumentException(
          "createRowSparse: %d rows of values %s, expected rows of shape %s"
              .formatted(rows.length, Arrays.toString(given), Arrays.toString(shape)));
    }
    long[] places = rows.clone();
    for (long row : places) {
      within("createRowSparse", 0, row, shape[0]);
    }
    return new Sparse(SparseFormat.ROW_SPARSE, shape, places, values);
  }

  /**
   * Elements by their coordinates.
   *
   * @param coordinates of each axis, of each value
   */
  static Sparse ofElements(Strided values, long[][] coordinates, long... shape) {
    boolean fits = coordinates.length == shape.length;
    for (long[] axis : coordinates) {
      fits = fits && axis.length == values.count();
    }
    if (!fits) {
      throw new IllegalArgumentException(
          "createCoo: coordinates of %d axes and %d values, expected one a value of each axis of shape %s"
              .formatted(coordinates.length, values.count(), Arrays.toString(shape)));
    }
    long[] places = new long[Math.toIntExact(values.count())];
    for (int axis = 0; axis < shape.length; axis++) {
      for (int i = 0; i < places.length; i++) {
        places[i] =
            places[i] * shape[axis] + within("createCoo", axis, coordinates[axis][i], shape[axis]);
      }
    }
    return new Sparse(SparseFormat.COO, shape, places, values);
  }

  private static long within(String op, int axis, long place, long length) {
    if (place < 0 || place >= length) {
      throw new IllegalArgumentException(
          "%s: place %d is outside of axis %d of length %d".formatted(op, place, axis, length));
    }
    return place;
  }

  /** What is not 0 of a dense array, by elements or by rows. */
  static Sparse of(Strided x, SparseFormat format) {
    if (format == SparseFormat.DENSE) {
      throw new IllegalArgumentException("toSparse: the format is DENSE, expected a sparse one");
    }
    boolean rows = format == SparseFormat.ROW_SPARSE;
    if (format == SparseFormat.CSR && x.rank() != 2 || rows && x.rank() == 0) {
      throw new IllegalArgumentException(
          "toSparse: %s of shape %s, expected %s"
              .formatted(format, Arrays.toString(x.shape()), rows ? "rows" : "two axes"));
    }
    Strided told = Strided.allocate(DataType.BOOLEAN, x.shape());
    long[] there;
    try {
      ArrayKernels.host().copy(x, told);
      there = ArrayKernels.host().numbers(told);
    } finally {
      told.store().release();
    }
    int width = rows ? Math.toIntExact(x.count() / Math.max(1, x.size(0))) : 1;
    long[] places = new long[there.length];
    int count = 0;
    for (int at = 0; at < there.length; at++) {
      if (there[at] != 0 && (count == 0 || places[count - 1] != at / width)) {
        places[count++] = at / width;
      }
    }
    places = Arrays.copyOf(places, count);
    Strided flat = rows ? x : flat(x);
    try {
      long[] shape = flat.shape();
      shape[0] = count;
      Strided values = Strided.allocate(x.type(), shape);
      ArrayKernels.host().indexed(flat, new int[] {0}, new long[][] {places}, values, false);
      return new Sparse(format, x.shape(), places, values);
    } finally {
      if (!rows) {
        flat.store().release();
      }
    }
  }

  /** All elements as one axis, with a user of its store. */
  private static Strided flat(Strided x) {
    Strided view = x.reshaped(x.count());
    if (view != null) {
      view.store().retain();
      return view;
    }
    Strided copy = Strided.allocate(x.type(), x.shape());
    ArrayKernels.host().copy(x, copy);
    return copy.reshaped(x.count());
  }

  /** The same with another user of the values' store. */
  Sparse shared() {
    values.store().retain();
    return this;
  }

  /** All elements, in new memory. */
  Strided dense() {
    Strided y = Strided.allocate(values.type(), shape);
    try {
      ArrayKernels kernels = ArrayKernels.host();
      kernels.fill(y, 0);
      Strided target = format == SparseFormat.ROW_SPARSE ? y : y.reshaped(y.count());
      int[] first = {0};
      if (isDistinct()) {
        kernels.indexed(target, first, new long[][] {places}, values, true);
      } else {
        kernels.indexedAdd(target, first, new long[][] {places}, values);
      }
      return y;
    } catch (RuntimeException | Error e) {
      y.store().release();
      throw e;
    }
  }

  private boolean isDistinct() {
    long[] sorted = places.clone();
    Arrays.sort(sorted);
    for (int i = 1; i < sorted.length; i++) {
      if (sorted[i] == sorted[i - 1]) {
        return false;
      }
    }
    return true;
  }
}
