package dev.gatun.kernels.api.memory;

import java.util.Arrays;
import java.util.Objects;

/**
 * A strided view of a buffer: what kernels read and write.
 *
 * @param buffer the memory
 * @param offset of the first element, in elements
 * @param dtype the element type
 * @param shape the length of each axis
 * @param strides elements between neighbours on each axis; 0 repeats
 */
public record Operand(Buffer buffer, long offset, DType dtype, long[] shape, long[] strides) {
  /** The most axes that kernels for any strides take. */
  public static final int MOST_AXES = 6;

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public Operand {
    Objects.requireNonNull(buffer, "buffer");
    Objects.requireNonNull(dtype, "dtype");
    if (shape.length != strides.length) {
      throw new IllegalArgumentException(
          "operand of shape %s has %d strides, expected one an axis"
              .formatted(Arrays.toString(shape), strides.length));
    }
    long last = offset;
    boolean empty = false;
    for (int axis = 0; axis < shape.length; axis++) {
      if (shape[axis] < 0 || strides[axis] < 0) {
        throw new IllegalArgumentException(
            "operand of shape %s, strides %s: axis %d is negative"
                .formatted(Arrays.toString(shape), Arrays.toString(strides), axis));
      }
      empty |= shape[axis] == 0;
    }
    if (!empty) {
      long count = 1;
      try {
        for (long length : shape) {
          count = Math.multiplyExact(count, length);
        }
        for (int axis = 0; axis < shape.length; axis++) {
          last = Math.addExact(last, Math.multiplyExact(shape[axis] - 1, strides[axis]));
        }
        last = Math.multiplyExact(Math.addExact(last, 1), dtype.bytes());
      } catch (ArithmeticException e) {
        last = Long.MAX_VALUE;
      }
      if (offset < 0 || last > buffer.byteSize()) {
        throw new IllegalArgumentException(
            "operand %s of shape %s, strides %s at element %d does not fit a buffer of %d bytes"
                .formatted(
                    dtype,
                    Arrays.toString(shape),
                    Arrays.toString(strides),
                    offset,
                    buffer.byteSize()));
      }
    } else if (offset < 0 || offset > Long.MAX_VALUE / dtype.bytes()) {
      throw new IllegalArgumentException(
          "operand %s of shape %s at element %d: begins at no byte of a buffer"
              .formatted(dtype, Arrays.toString(shape), offset));
    }
  }

  /**
   * {@return a row-major view of a whole buffer from its start}
   *
   * @param buffer the block
   * @param dtype the elements' type
   * @param shape the length of each axis
   */
  public static Operand of(Buffer buffer, DType dtype, long... shape) {
    return new Operand(buffer, 0, dtype, shape, rowMajor(shape));
  }

  /**
   * {@return the strides of a row-major block of this shape}
   *
   * @param shape the length of each axis
   */
  public static long[] rowMajor(long... shape) {
    long[] strides = new long[shape.length];
    long next = 1;
    for (int axis = shape.length - 1; axis >= 0; axis--) {
      strides[axis] = next;
      try {
        next = Math.multiplyExact(next, Math.max(1, shape[axis]));
      } catch (ArithmeticException e) {
        throw new IllegalArgumentException(
            "operand of shape %s: has more elements than a long counts"
                .formatted(Arrays.toString(shape)),
            e);
      }
    }
    return strides;
  }

  /** {@return the number of axes} */
  public int rank() {
    return shape.length;
  }

  /**
   * {@return the length of an axis; negative axes count from the last}
   *
   * @param axis from 0, or from -1 backwards
   */
  public long size(int axis) {
    return shape[axis < 0 ? shape.length + axis : axis];
  }

  /**
   * {@return the stride of an axis in elements; negative axes count from the last}
   *
   * @param axis from 0, or from -1 backwards
   */
  public long stride(int axis) {
    return strides[axis < 0 ? strides.length + axis : axis];
  }

  /** {@return the number of elements} */
  public long count() {
    if (isEmpty()) {
      return 0;
    }
    long count = 1;
    for (long length : shape) {
      count *= length;
    }
    return count;
  }

  /** {@return whether there are no elements} */
  public boolean isEmpty() {
    for (long length : shape) {
      if (length == 0) {
        return true;
      }
    }
    return false;
  }

  /** {@return whether the elements lie row-major without gaps} */
  public boolean isContiguous() {
    if (isEmpty()) {
      return true;
    }
    long next = 1;
    for (int axis = shape.length - 1; axis >= 0; axis--) {
      if (shape[axis] != 1 && strides[axis] != next) {
        return false;
      }
      next *= shape[axis];
    }
    return true;
  }

  /**
   * {@return whether no two elements are known to share a place: each axis steps over all that the
   * axes with shorter steps span}
   */
  public boolean isApart() {
    long[][] axes = new long[shape.length][];
    for (int axis = 0; axis < shape.length; axis++) {
      if (shape[axis] == 0) {
        return true;
      }
      axes[axis] = new long[] {strides[axis], shape[axis] - 1};
    }
    Arrays.sort(axes, (a, b) -> Long.compare(a[0], b[0]));
    long span = 0;
    for (long[] axis : axes) {
      if (axis[1] > 0 && axis[0] <= span) {
        return false;
      }
      span += axis[0] * axis[1];
    }
    return true;
  }

  /**
   * {@return whether {@link #expand} can give this shape}
   *
   * @param full the length of each axis
   */
  public boolean expands(long... full) {
    int lacking = full.length - shape.length;
    for (int axis = 0; axis < shape.length; axis++) {
      if (lacking < 0 || (shape[axis] != 1 && shape[axis] != full[lacking + axis])) {
        return false;
      }
    }
    return lacking >= 0;
  }

  /**
   * {@return this view repeated along axes that it lacks in front or has of length 1, as PyTorch's
   * expand}
   *
   * @param full the length of each axis
   * @throws IllegalArgumentException when another axis differs
   */
  public Operand expand(long... full) {
    if (!expands(full)) {
      throw new IllegalArgumentException(
          "operand %s cannot be expanded to %s".formatted(this, Arrays.toString(full)));
    }
    if (Arrays.equals(shape, full)) {
      return this;
    }
    long[] repeated = new long[full.length];
    int lacking = full.length - shape.length;
    for (int axis = 0; axis < shape.length; axis++) {
      repeated[lacking + axis] = shape[axis] == full[lacking + axis] ? strides[axis] : 0;
    }
    return new Operand(buffer, offset, dtype, full, repeated);
  }

  /** {@return the bytes from the buffer's start to the first element} */
  public long byteOffset() {
    return offset * dtype.bytes();
  }

  /**
   * {@return whether both views share a byte range of one buffer (their spans, gaps included),
   * unless they are slices of one matrix: other columns of rows of one length}
   *
   * @param other another view
   */
  public boolean overlaps(Operand other) {
    if (buffer != other.buffer || isEmpty() || other.isEmpty()) {
      return false;
    }
    return byteOffset() < other.endByte() && other.byteOffset() < endByte() && !isBeside(other);
  }

  /**
   * Whether some stride is the length of rows in which both have columns, and not the same ones.
   */
  private boolean isBeside(Operand other) {
    for (int axis = 0; axis < shape.length && dtype == other.dtype; axis++) {
      long length = strides[axis];
      if (shape[axis] > 1 && length > 0) {
        long columns = columns(length);
        long others = other.columns(length);
        long first = offset % length;
        long second = other.offset % length;
        if (columns > 0 && others > 0 && (first + columns <= second || second + others <= first)) {
          return true;
        }
      }
    }
    return false;
  }

  /** The columns from the first element's on that lie in rows of a length; 0 where not all do. */
  private long columns(long length) {
    long span = 1;
    for (int axis = 0; axis < shape.length; axis++) {
      if (shape[axis] > 1 && strides[axis] % length != 0) {
        span += (shape[axis] - 1) * strides[axis];
      }
    }
    return offset % length + span <= length ? span : 0;
  }

  /**
   * {@return whether both are the same view}
   *
   * @param other another view
   */
  public boolean isSameView(Operand other) {
    return buffer == other.buffer
        && offset == other.offset
        && dtype == other.dtype
        && Arrays.equals(shape, other.shape)
        && Arrays.equals(strides, other.strides);
  }

  private long endByte() {
    long last = offset;
    for (int axis = 0; axis < shape.length; axis++) {
      last += (shape[axis] - 1) * strides[axis];
    }
    return (last + 1) * dtype.bytes();
  }

  @Override
  public String toString() {
    return dtype + Arrays.toString(shape);
  }
}
