package dev.gatun.djl.host;

import ai.djl.engine.EngineException;
import ai.djl.ndarray.types.DataType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.tensor.Tensor;
import java.util.Arrays;

/**
 * A view of a store: what loops read and write. A view made of another shares its store and is no
 * user of it; who keeps one calls {@link Store#retain}.
 */
public final class Strided {
  private static final long[] NO_AXES = {};

  private final Store store;
  private final DataType type;
  private final long offset;
  private final long[] shape;
  private final long[] strides;

  private Strided(Store store, DataType type, long offset, long[] shape, long[] strides) {
    this.store = store;
    this.type = type;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }

  /**
   * {@return a new array with undefined contents; its store has one user}
   *
   * @param type of its elements
   * @param shape the length of each axis
   */
  public static Strided allocate(DataType type, long... shape) {
    long count = count(shape);
    if (count > Long.MAX_VALUE / 16) {
      throw tooLarge(shape);
    }
    return new Strided(Store.allocate(type, count), type, 0, shape.clone(), rowMajor(shape));
  }

  /**
   * {@return the memory of a tensor as an array of that type, of as many bytes; its store has one
   * user}
   */
  public static Strided of(Tensor tensor, DataType type) {
    long[] shape = tensor.shape();
    return new Strided(Store.of(tensor), type, 0, shape, rowMajor(shape));
  }

  /** The elements of a shape. */
  public static long count(long... shape) {
    long count = 1;
    for (long length : shape) {
      if (length < 0) {
        throw Refusal.wrong("shape %s has a negative length", Arrays.toString(shape));
      }
      if (Math.multiplyHigh(count, length) != 0 || count * length < 0) {
        throw tooLarge(shape);
      }
      count *= length;
    }
    return count;
  }

  private static EngineException tooLarge(long... shape) {
    return Refusal.wrong("shape %s is of more elements than memory has", Arrays.toString(shape));
  }

  static long[] rowMajor(long... shape) {
    long[] strides = new long[shape.length];
    long next = 1;
    for (int axis = shape.length - 1; axis >= 0; axis--) {
      strides[axis] = next;
      next *= Math.max(1, shape[axis]);
    }
    return strides;
  }

  /** The memory. */
  public Store store() {
    return store;
  }

  /** The elements' type. */
  public DataType type() {
    return type;
  }

  /** The length of each axis. */
  public long[] shape() {
    return shape.clone();
  }

  /** Elements from place to place on each axis. */
  public long[] strides() {
    return strides.clone();
  }

  /** The length of an axis, counted from 0. */
  public long size(int axis) {
    return shape[axis];
  }

  long stride(int axis) {
    return strides[axis];
  }

  long offset() {
    return offset;
  }

  /** The number of axes. */
  public int rank() {
    return shape.length;
  }

  /** The number of elements. */
  public long count() {
    return count(shape);
  }

  /** The bytes of all elements; DJL's type of complex numbers counts those of one part. */
  public long byteSize() {
    return count() * codec().bytes();
  }

  Codec codec() {
    return Codec.of(type);
  }

  /** Whether the elements lie row-major without gaps. */
  public boolean isContiguous() {
    long next = 1;
    for (int axis = shape.length - 1; axis >= 0; axis--) {
      if (shape[axis] == 0) {
        return true;
      }
      if (shape[axis] != 1 && strides[axis] != next) {
        return false;
      }
      next *= shape[axis];
    }
    return true;
  }

  /** {@return an array without axes; its store has one user} */
  public static Strided scalar(Number number) {
    DataType type =
        switch (number) {
          case Integer _ -> DataType.INT32;
          case Float _ -> DataType.FLOAT32;
          case Double _ -> DataType.FLOAT64;
          case Long _ -> DataType.INT64;
          case Byte _ -> DataType.INT8;
          default ->
              throw new IllegalArgumentException(
                  "a number of %s, expected an Integer, Long, Float, Double or Byte"
                      .formatted(number.getClass().getName()));
        };
    return scalar(type, number);
  }

  /** {@return a number of a type as an array without axes; its store has one user} */
  public static Strided scalar(DataType type, Number number) {
    Strided made = new Strided(Store.allocate(type, 1), type, 0, NO_AXES, NO_AXES);
    if (type.isFloating()) {
      made.codec().put(made.store.segment(), 0, number.doubleValue());
    } else {
      made.codec().put(made.store.segment(), 0, number.longValue());
    }
    return made;
  }

  /** {@return whether a place of the memory is several elements, as in what was broadcast} */
  public boolean hasSharedElements() {
    boolean shared = false;
    for (int axis = 0; axis < shape.length; axis++) {
      shared |= shape[axis] > 1 && strides[axis] == 0;
    }
    return shared && count() > 0;
  }

  /** Whether two arrays have the same axes. */
  public boolean isShapedAs(Strided other) {
    return Arrays.equals(shape, other.shape);
  }

  /** What kernels take. */
  Operand operand() {
    return shape.length == 0
        ? store.operand(offset, new long[] {1}, new long[] {1})
        : store.operand(offset, shape, strides);
  }

  /** The same elements for the library's ops: a view that is valid as long as the store. */
  public Tensor tensor() {
    Tensor owner = store.tensor();
    return shape.length == 0
        ? owner.strided(offset, new long[] {1}, new long[] {1})
        : owner.strided(offset, shape.clone(), strides.clone());
  }

  private Strided view(long from, long[] newShape, long[] newStrides) {
    return new Strided(store, type, from, newShape, newStrides);
  }

  /** The same bytes as another type of the same width. */
  public Strided as(DataType other) {
    return new Strided(store, other, offset, shape, strides);
  }

  /** The numbers of a complex array: a last axis of length 2, real and imaginary. */
  public Strided parts() {
    long[] newShape = Arrays.copyOf(shape, shape.length + 1);
    long[] newStrides = new long[shape.length + 1];
    for (int axis = 0; axis < shape.length; axis++) {
      newStrides[axis] = 2 * strides[axis];
    }
    newShape[shape.length] = 2;
    newStrides[shape.length] = 1;
    return new Strided(store, DataType.FLOAT32, 2 * offset, newShape, newStrides);
  }

  /**
   * {@return the elements under another shape of as many, or null where strides cannot say it}
   *
   * @param target the length of each axis
   */
  public Strided reshaped(long... target) {
    if (isContiguous() || count(target) == 0) {
      return view(offset, target.clone(), rowMajor(target));
    }
    // Each run of target axes must cover a run of axes that lie without gaps between them.
    long[] newStrides = new long[target.length];
    int done = target.length - 1;
    int axis = shape.length - 1;
    while (axis >= 0) {
      long run = shape[axis];
      long step = strides[axis];
      int first = axis;
      while (first > 0 && (shape[first - 1] == 1 || run == 1 || strides[first - 1] == step * run)) {
        if (run == 1) {
          step = strides[first - 1];
        }
        run *= shape[first - 1];
        first--;
      }
      long left = run;
      while (done >= 0 && (left > 1 || target[done] == 1)) {
        if (left % target[done] != 0) {
          return null;
        }
        newStrides[done] = step * (run / left);
        left /= target[done];
        done--;
      }
      if (left != 1) {
        return null;
      }
      axis = first - 1;
    }
    for (; done >= 0; done--) {
      if (target[done] != 1) {
        return null;
      }
      newStrides[done] = 1;
    }
    return view(offset, target.clone(), newStrides);
  }

  /** Some elements of a contiguous array, from one on, under another shape. */
  Strided flat(long from, long... target) {
    return view(offset + from, target, rowMajor(target));
  }

  /** All of the store as one axis. */
  public Strided whole() {
    return view(0, new long[] {store.numbers() / codec().parts()}, new long[] {1});
  }

  /** Whether it is all of its store, in order. */
  public boolean isWhole() {
    return offset == 0 && isContiguous() && count() * codec().parts() == store.numbers();
  }

  /** {@return the elements of this one's store and type at the places that another array has} */
  public Strided at(Strided places) {
    return view(places.offset, places.shape.clone(), places.strides.clone());
  }

  /** Without repetitions: of axes along which elements are the same ones, a single place. */
  public Strided distinct() {
    long[] newShape = shape.clone();
    for (int axis = 0; axis < shape.length; axis++) {
      if (strides[axis] == 0 && shape[axis] > 1) {
        newShape[axis] = 1;
      }
    }
    return view(offset, newShape, strides);
  }

  /** The axes in another order. */
  public Strided permuted(int... axes) {
    long[] newShape = new long[axes.length];
    long[] newStrides = new long[axes.length];
    for (int i = 0; i < axes.length; i++) {
      newShape[i] = shape[axes[i]];
      newStrides[i] = strides[axes[i]];
    }
    return view(offset, newShape, newStrides);
  }

  /** The array with an axis last. */
  Strided withLast(int axis) {
    int[] axes = new int[shape.length];
    int at = 0;
    for (int i = 0; i < shape.length; i++) {
      if (i != axis) {
        axes[at++] = i;
      }
    }
    axes[at] = axis;
    return permuted(axes);
  }

  /**
   * Some places of an axis.
   *
   * @param axis from 0
   * @param begin the first
   * @param length how many
   * @param step from one to the next, 1 or more
   */
  public Strided sliced(int axis, long begin, long length, long step) {
    long[] newShape = shape.clone();
    long[] newStrides = strides.clone();
    newShape[axis] = length;
    newStrides[axis] = strides[axis] * step;
    return view(offset + begin * strides[axis], newShape, newStrides);
  }

  /** An axis from its end, which loops go through and the library's kernels do not. */
  public Strided reversed(int axis) {
    long[] newStrides = strides.clone();
    newStrides[axis] = -strides[axis];
    return view(offset + Math.max(0, shape[axis] - 1) * strides[axis], shape.clone(), newStrides);
  }

  /** Whether no axis goes backwards. */
  boolean isForward() {
    return Arrays.stream(strides).allMatch(stride -> stride >= 0);
  }

  /** Without an axis, at a place of it. */
  public Strided selected(int axis, long at) {
    return view(offset + at * strides[axis], without(shape, axis), without(strides, axis));
  }

  private static long[] without(long[] values, int axis) {
    long[] left = new long[values.length - 1];
    System.arraycopy(values, 0, left, 0, axis);
    System.arraycopy(values, axis + 1, left, axis, left.length - axis);
    return left;
  }

  /** With one more axis of length 1. */
  public Strided inserted(int axis) {
    long[] newShape = new long[shape.length + 1];
    long[] newStrides = new long[shape.length + 1];
    System.arraycopy(shape, 0, newShape, 0, axis);
    System.arraycopy(strides, 0, newStrides, 0, axis);
    System.arraycopy(shape, axis, newShape, axis + 1, shape.length - axis);
    System.arraycopy(strides, axis, newStrides, axis + 1, shape.length - axis);
    newShape[axis] = 1;
    newStrides[axis] = axis < shape.length ? shape[axis] * strides[axis] : 1;
    return view(offset, newShape, newStrides);
  }

  /** The elements where two axes' indices are equal, as a last axis. */
  public Strided diagonal(long from, int axis1, int axis2) {
    long rows = from >= 0 ? shape[axis1] : shape[axis1] + from;
    long columns = from >= 0 ? shape[axis2] - from : shape[axis2];
    long length = Math.max(0, Math.min(rows, columns));
    long start =
        length == 0
            ? offset
            : offset + (from >= 0 ? from * strides[axis2] : -from * strides[axis1]);
    int high = Math.max(axis1, axis2);
    int low = Math.min(axis1, axis2);
    long[] newShape = Arrays.copyOf(without(without(shape, high), low), shape.length - 1);
    long[] newStrides = Arrays.copyOf(without(without(strides, high), low), shape.length - 1);
    newShape[newShape.length - 1] = length;
    newStrides[newStrides.length - 1] = strides[axis1] + strides[axis2];
    return view(start, newShape, newStrides);
  }

  /**
   * {@return the array repeated along axes that it lacks in front or has of length 1; -1 keeps a
   * length}
   *
   * @param op for messages
   * @param target the length of each axis
   */
  public Strided expanded(String op, long... target) {
    int lacking = target.length - shape.length;
    long[] newShape = target.clone();
    long[] newStrides = new long[target.length];
    for (int axis = 0; axis < shape.length; axis++) {
      long wanted = lacking < 0 ? 0 : target[lacking + axis];
      if (lacking < 0 || (wanted != -1 && shape[axis] != 1 && shape[axis] != wanted)) {
        throw Refusal.wrong(
            "%s: shape %s cannot be repeated to %s", op, Refusal.text(shape), Refusal.text(target));
      }
      if (wanted == -1 || shape[axis] == wanted) {
        newShape[lacking + axis] = shape[axis];
        newStrides[lacking + axis] = strides[axis];
      }
    }
    return view(offset, newShape, newStrides);
  }

  /** Whether an array of one shape can be repeated to another. */
  public static boolean repeatsTo(long[] shape, long... target) {
    int lacking = target.length - shape.length;
    boolean fits = lacking >= 0;
    for (int axis = 0; fits && axis < shape.length; axis++) {
      fits = shape[axis] == 1 || shape[axis] == target[lacking + axis];
    }
    return fits;
  }

  /**
   * {@return the shape that NumPy's broadcasting gives several}
   *
   * @param op for messages
   * @param shapes of the arrays
   */
  public static long[] broadcast(String op, long[]... shapes) {
    int rank = 0;
    for (long[] shape : shapes) {
      rank = Math.max(rank, shape.length);
    }
    long[] full = new long[rank];
    Arrays.fill(full, 1);
    for (long[] shape : shapes) {
      for (int axis = 1; axis <= shape.length; axis++) {
        long length = shape[shape.length - axis];
        if (length != 1) {
          if (full[rank - axis] != 1 && full[rank - axis] != length) {
            throw Refusal.wrong(
                "%s: shapes %s do not go together: axis %d from the last is %d and %d",
                op,
                Arrays.stream(shapes).map(Arrays::toString).toList(),
                axis,
                full[rank - axis],
                length);
          }
          full[rank - axis] = length;
        }
      }
    }
    return full;
  }
}
