package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.index.NDArrayIndexer;
import ai.djl.ndarray.index.NDIndex;
import ai.djl.ndarray.index.dim.NDIndexAll;
import ai.djl.ndarray.index.dim.NDIndexBooleans;
import ai.djl.ndarray.index.dim.NDIndexElement;
import ai.djl.ndarray.index.dim.NDIndexFixed;
import ai.djl.ndarray.index.dim.NDIndexNull;
import ai.djl.ndarray.index.dim.NDIndexPick;
import ai.djl.ndarray.index.dim.NDIndexSlice;
import ai.djl.ndarray.index.dim.NDIndexTake;
import ai.djl.ndarray.index.full.NDIndexFullPick;
import ai.djl.ndarray.index.full.NDIndexFullSlice;
import ai.djl.ndarray.index.full.NDIndexFullTake;
import ai.djl.ndarray.types.DataType;
import dev.gatun.djl.Tape.Keeps;
import dev.gatun.djl.host.ArrayKernels;
import dev.gatun.djl.host.Refusal;
import dev.gatun.djl.host.Strided;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Indices as PyTorch has them: numbers, slices and new axes give views; arrays of numbers or
 * booleans copy.
 */
final class GatunNDArrayIndexer extends NDArrayIndexer {
  private final GatunNDManager manager;

  GatunNDArrayIndexer(GatunNDManager manager) {
    this.manager = manager;
  }

  /**
   * An index taken apart.
   *
   * @param view what numbers, slices and new axes leave
   * @param axes of the view, rising, that arrays index
   * @param indices for each of them as many numbers as the places
   * @param places the shape of the index arrays
   * @param begins where their axes stand in a result
   */
  private record Parts(Strided view, int[] axes, long[][] indices, long[] places, int begins) {
    boolean isView() {
      return axes.length == 0;
    }

    /** The other axes of the view. */
    long[] rest() {
      long[] rest = new long[view.rank() - axes.length];
      int next = 0;
      for (int axis = 0, i = 0; axis < view.rank(); axis++) {
        if (i < axes.length && axes[i] == axis) {
          i++;
        } else {
          rest[next++] = view.size(axis);
        }
      }
      return rest;
    }

    /** [places, rest]. */
    long[] rows() {
      long[] rest = rest();
      long[] rows = new long[rest.length + 1];
      rows[0] = Strided.count(places);
      System.arraycopy(rest, 0, rows, 1, rest.length);
      return rows;
    }

    /** The shape of what the index gives. */
    long[] shape() {
      long[] rest = rest();
      long[] shape = new long[rest.length + places.length];
      System.arraycopy(rest, 0, shape, 0, begins);
      System.arraycopy(places, 0, shape, begins, places.length);
      System.arraycopy(rest, begins, shape, begins + places.length, rest.length - begins);
      return shape;
    }

    /** [places, rest], whose places are several axes, with these where they stand in a result. */
    Strided ordered(Strided rows) {
      long[] rest = rest();
      long[] apart = new long[places.length + rest.length];
      System.arraycopy(places, 0, apart, 0, places.length);
      System.arraycopy(rest, 0, apart, places.length, rest.length);
      int[] order = new int[apart.length];
      int next = 0;
      for (int i = 0; i < begins; i++) {
        order[next++] = places.length + i;
      }
      for (int i = 0; i < places.length; i++) {
        order[next++] = i;
      }
      for (int i = begins; i < rest.length; i++) {
        order[next++] = places.length + i;
      }
      return rows.reshaped(apart).permuted(order);
    }
  }

  private Parts parts(Strided x, NDIndex index) {
    List<NDIndexElement> elements = index.getIndices();
    int taken = elements.stream().mapToInt(GatunNDArrayIndexer::axesOf).sum();
    if (taken > x.rank()) {
      throw Refusal.wrong(
          "index: it has %d axes, the array of shape %s has %d",
          taken, Arrays.toString(x.shape()), x.rank());
    }
    Strided view = x;
    int axis = 0;
    List<Integer> axes = new ArrayList<>();
    List<Strided> arrays = new ArrayList<>();
    boolean apart = false;
    for (int i = 0; i < elements.size(); i++) {
      if (i == index.getEllipsisIndex()) {
        axis += x.rank() - taken;
      }
      NDIndexElement element = elements.get(i);
      if (element instanceof NDIndexNull) {
        view = view.inserted(axis++);
      } else if (element instanceof NDIndexAll) {
        axis++;
      } else if (element instanceof NDIndexFixed fixed) {
        view = view.selected(axis, place(fixed.getIndex(), view.size(axis)));
      } else if (element instanceof NDIndexSlice slice) {
        view = sliced(view, axis++, slice);
      } else if (element instanceof NDIndexTake take && isNumber(take.getIndex())) {
        view =
            view.selected(
                axis,
                place(take.getIndex().toType(DataType.INT64, false).getLong(), view.size(axis)));
      } else {
        if (maskOfNumber(element) != null) {
          // A truth without axes takes none, and gives one of one place or of none.
          view = view.inserted(axis);
        }
        apart |= !axes.isEmpty() && axes.getLast() != axis - 1;
        for (Strided array : arrays(element, view, axis)) {
          axes.add(axis++);
          arrays.add(array);
        }
      }
    }
    return together(view, axes, arrays, apart);
  }

  /** A boolean without axes, or null. */
  private static NDArray maskOfNumber(NDIndexElement element) {
    NDArray mask =
        element instanceof NDIndexTake take
            ? take.getIndex()
            : element instanceof NDIndexBooleans booleans ? booleans.getIndex() : null;
    return mask != null && mask.isScalar() && mask.getDataType() == DataType.BOOLEAN ? mask : null;
  }

  /** A whole number, which as an index is what it is without an array. */
  private static boolean isNumber(NDArray index) {
    return index.isScalar() && index.getDataType().isInteger();
  }

  private static int axesOf(NDIndexElement element) {
    return element instanceof NDIndexNull || maskOfNumber(element) != null
        ? 0
        : element instanceof NDIndexBooleans booleans
            ? booleans.getIndex().getShape().dimension()
            : 1;
  }

  private static long place(long at, long length) {
    if (at < -length || at >= length) {
      throw Refusal.wrong("index: %d is outside of %d to %d", at, -length, length - 1);
    }
    return at < 0 ? at + length : at;
  }

  private static Strided sliced(Strided view, int axis, NDIndexSlice slice) {
    long length = view.size(axis);
    long step = slice.getStep() == null ? 1 : slice.getStep();
    if (step <= 0) {
      throw Refusal.wrong("index: the step of a slice is %d, expected 1 or more", step);
    }
    long begin = clamp(slice.getMin() == null ? 0 : slice.getMin(), length);
    long end = clamp(slice.getMax() == null ? length : slice.getMax(), length);
    return view.sliced(axis, begin, Math.max(0, Math.ceilDiv(end - begin, step)), step);
  }

  private static long clamp(long at, long length) {
    return Math.clamp(at < 0 ? at + length : at, 0, length);
  }

  /** An index array for each axis that an element takes. */
  private List<Strided> arrays(NDIndexElement element, Strided view, int axis) {
    if (element instanceof NDIndexTake take) {
      NDArray index = take.getIndex();
      if (index.getDataType() == DataType.BOOLEAN) {
        return ofMask(manager.from(index), view, axis);
      }
      return List.of(manager.from(index).data());
    }
    if (element instanceof NDIndexBooleans booleans) {
      return ofMask(manager.from(booleans.getIndex()), view, axis);
    }
    throw Refusal.unsupported("an index by " + element.getClass().getSimpleName());
  }

  private List<Strided> ofMask(GatunNDArray mask, Strided view, int axis) {
    if (mask.isScalar()) {
      // Its places of the axis that was made for it.
      try (NDArray row = mask.reshape(1)) {
        return ofMask(manager.from(row), view, axis);
      }
    }
    Strided told = mask.data();
    for (int i = 0; i < told.rank(); i++) {
      if (axis + i >= view.rank() || told.size(i) != view.size(axis + i)) {
        throw Refusal.wrong(
            "index: a mask of shape %s at axis %d of %s",
            mask.getShape(), axis, Arrays.toString(view.shape()));
      }
    }
    List<Strided> arrays = new ArrayList<>();
    GatunNDArray places = (GatunNDArray) mask.nonzero();
    for (int i = 0; i < told.rank(); i++) {
      arrays.add(places.data().selected(1, i));
    }
    return arrays;
  }

  private static Parts together(
      Strided view, List<Integer> axes, List<Strided> arrays, boolean apart) {
    if (axes.isEmpty()) {
      return new Parts(view, new int[0], new long[0][], new long[0], 0);
    }
    long[] places =
        Strided.broadcast("index", arrays.stream().map(Strided::shape).toArray(long[][]::new));
    long[][] indices = new long[axes.size()][];
    int[] at = new int[axes.size()];
    for (int i = 0; i < at.length; i++) {
      at[i] = axes.get(i);
      indices[i] = ArrayKernels.host().numbers(arrays.get(i).expanded("index", places));
    }
    return new Parts(view, at, indices, places, apart ? 0 : at[0]);
  }

  @Override
  public NDArray get(NDArray array, NDIndex index) {
    if (index.getIndices().stream().anyMatch(NDIndexPick.class::isInstance)) {
      return get(array, NDIndexFullPick.fromIndex(index, array.getShape()).orElseThrow());
    }
    GatunNDArray own = manager.from(array);
    Strided x = own.data();
    Parts parts = parts(x, index);
    if (parts.isView()) {
      return own.viewIn(manager, parts.view());
    }
    Strided rows = Strided.allocate(x.type(), parts.rows());
    try {
      ArrayKernels.host().indexed(parts.view(), parts.axes(), parts.indices(), rows, false);
    } catch (RuntimeException | Error e) {
      rows.store().release();
      throw e;
    }
    return Tape.record(
        manager.make(parts.ordered(rows)),
        "get",
        Keeps.NOTHING,
        step -> {
          // The gradient's memory is that of the rows.
          Strided g = step.gradient().data().whole().reshaped(parts.rows());
          Strided all = Strided.allocate(g.type(), x.store().numbers());
          GatunNDArray whole = step.scratch().make(all);
          ArrayKernels.host().fill(all, 0);
          ArrayKernels.host().indexedAdd(all.at(parts.view()), parts.axes(), parts.indices(), g);
          step.give(0, whole.view(all.at(x)));
        },
        own);
  }

  @Override
  public void set(NDArray array, NDIndex index, Object value) {
    GatunNDArray own = (GatunNDArray) array;
    if (value instanceof Number number) {
      try (NDArray one = own.getManager().create(number)) {
        put(own, index, (GatunNDArray) one);
      }
    } else if (value instanceof NDArray values) {
      put(own, index, manager.from(values));
    } else {
      throw new IllegalArgumentException(
          "set: the value is a %s, expected an NDArray or a Number"
              .formatted(value == null ? null : value.getClass().getSimpleName()));
    }
  }

  private void put(GatunNDArray array, NDIndex index, GatunNDArray values) {
    Parts parts = parts(array.data(), index);
    Strided given = values.data();
    // Leading axes of length 1 that the place lacks are dropped, as PyTorch does.
    long[] target = parts.isView() ? parts.view().shape() : parts.shape();
    while (given.rank() > target.length && given.size(0) == 1) {
      given = given.selected(0, 0);
    }
    Tape.writes("set", array);
    try (GatunNDArray value = values.view(given)) {
      if (parts.isView()) {
        ArrayKernels.host().copy(given.expanded("set", target), parts.view());
        Tape.wrote("set", array, parts.view(), value);
        return;
      }
      Strided rows = Strided.allocate(array.getDataType(), parts.rows());
      try {
        ArrayKernels.host().copy(given.expanded("set", target), parts.ordered(rows));
        ArrayKernels.host().indexed(parts.view(), parts.axes(), parts.indices(), rows, true);
      } finally {
        rows.store().release();
      }
      Tape.overwrote("set", array, value, step -> put(parts, step));
    }
  }

  /** The gradient of what arrays of places wrote over: of the rest, and of the value. */
  private static void put(Parts parts, Tape.Backward step) {
    Strided g = step.gradient().data();
    GatunNDArray rows = step.scratch().make(Strided.allocate(g.type(), parts.rows()));
    Strided there = g.at(parts.view());
    ArrayKernels.host().indexed(there, parts.axes(), parts.indices(), rows.data(), false);
    step.give(1, rows.view(parts.ordered(rows.data())));
    if (step.needs(0)) {
      GatunNDArray left = step.gradient().duplicate();
      Strided from = left.data().at(parts.view());
      GatunNDArray none = (GatunNDArray) rows.zerosLike();
      ArrayKernels.host().indexed(from, parts.axes(), parts.indices(), none.data(), true);
      step.give(0, left);
    }
  }

  @Override
  public NDArray get(NDArray array, NDIndexFullPick fullPick) {
    NDArray index = fullPick.getIndices();
    int rank = array.getShape().dimension();
    NDArray places = index;
    int lacking = rank - index.getShape().dimension();
    if (lacking > 0) {
      // The picked axis, and others that the index lacks, have a length of 1.
      long[] shape = new long[rank];
      Arrays.fill(shape, 1);
      int begin = 0;
      long[] given = index.getShape().getShape();
      long[] full = array.getShape().getShape();
      while (begin < lacking
          && !Arrays.equals(Arrays.copyOfRange(full, begin, begin + given.length), given)) {
        begin++;
      }
      if (begin == lacking) {
        throw new IllegalArgumentException(
            "pick: index of shape %s, the array has %s"
                .formatted(index.getShape(), array.getShape()));
      }
      System.arraycopy(given, 0, shape, begin, given.length);
      places = index.reshape(shape);
    }
    // Classes are often told in floating-point numbers.
    return array.gather(places.toType(DataType.INT64, false), fullPick.getAxis());
  }

  @Override
  public NDArray get(NDArray array, NDIndexFullTake fullTake) {
    return array.take(manager, fullTake.getIndices());
  }

  @Override
  public NDArray get(NDArray array, NDIndexFullSlice fullSlice) {
    GatunNDArray own = manager.from(array);
    Strided view = slice(own.data(), fullSlice);
    int[] squeezed = fullSlice.getToSqueeze();
    int[] order = squeezed.clone();
    Arrays.sort(order);
    for (int i = order.length - 1; i >= 0; i--) {
      view = view.selected(order[i], 0);
    }
    return own.viewIn(manager, view);
  }

  private static Strided slice(Strided x, NDIndexFullSlice slice) {
    Strided view = x;
    for (int axis = 0; axis < x.rank(); axis++) {
      long step = slice.getStep()[axis];
      long length = Math.max(0, Math.ceilDiv(slice.getMax()[axis] - slice.getMin()[axis], step));
      view = view.sliced(axis, slice.getMin()[axis], length, step);
    }
    return view;
  }

  @Override
  public void set(NDArray array, NDIndexFullSlice fullSlice, NDArray value) {
    GatunNDArray own = (GatunNDArray) array;
    Strided view = slice(own.data(), fullSlice);
    GatunNDArray given = manager.from(value);
    Tape.writes("set", own);
    ArrayKernels.host().copy(given.data().expanded("set", view.shape()), view);
    Tape.wrote("set", own, view, given);
  }

  @Override
  public void set(NDArray array, NDIndexFullSlice fullSlice, Number value) {
    try (NDArray one = array.getManager().create(value)) {
      set(array, fullSlice, one);
    }
  }
}
