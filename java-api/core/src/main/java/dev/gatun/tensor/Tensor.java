package dev.gatun.tensor;

import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.Arrays;

/**
 * An array of numbers on a device. A tensor made while a {@link Scope} is open is closed with it;
 * one made outside of any is closed by {@link #close}, or once it is unreachable. Views share the
 * memory of the tensor that they were made of, and end with it.
 */
public final class Tensor implements AutoCloseable {
  private static final Cleaner CLEANER = Cleaner.create();
  // What every JVM gives an array.
  private static final int MOST_ELEMENTS = Integer.MAX_VALUE - 8;

  private final Device device;
  private final Operand operand;
  // The tensor that owns the memory, kept reachable by its views; this for an owner.
  private final Tensor owner;
  // What gives the memory back; null for views.
  private final Cleaner.Cleanable memory;

  private Tensor(Device device, Operand operand, Tensor owner) {
    this.device = device;
    this.operand = operand;
    this.owner = owner == null ? this : owner;
    this.memory = owner == null ? owned() : null;
    if (owner == null) {
      Scope.adopt(this);
    }
  }

  /** One more owner of the memory of a tensor. */
  private Tensor(Tensor shared) {
    this.device = shared.device;
    this.operand = shared.operand;
    this.owner = this;
    operand.buffer().share();
    this.memory = owned();
  }

  /** {@return the tensor that owns the memory} */
  Tensor owner() {
    return owner;
  }

  private Cleaner.Cleanable owned() {
    Buffer buffer = operand.buffer();
    return CLEANER.register(this, buffer::close);
  }

  /**
   * {@return a tensor with undefined contents}
   *
   * @param device where it is
   * @param dtype of its elements
   * @param shape the length of each axis
   * @throws IllegalArgumentException for a negative length, and for more bytes than a long counts
   * @throws OutOfMemoryError when the device has not as many bytes
   */
  public static Tensor empty(Device device, DType dtype, long... shape) {
    long bytes = bytes(dtype, shape);
    return new Tensor(device, Operand.of(device.memory().allocate(bytes), dtype, shape), null);
  }

  /** The bytes of a shape, counted so that its strides can be counted too. */
  private static long bytes(DType dtype, long... shape) {
    long strides = dtype.bytes();
    boolean empty = false;
    for (long length : shape) {
      if (length < 0) {
        throw new IllegalArgumentException(
            "tensor: shape %s has a negative length".formatted(Arrays.toString(shape)));
      }
      if (Math.multiplyHigh(strides, Math.max(1, length)) != 0
          || strides * Math.max(1, length) < 0) {
        throw new IllegalArgumentException(
            "tensor: shape %s of %s has more bytes than a long counts"
                .formatted(Arrays.toString(shape), dtype));
      }
      strides *= Math.max(1, length);
      empty |= length == 0;
    }
    return empty ? 0 : strides;
  }

  /**
   * {@return an F32 tensor of zeros}
   *
   * @param device where it is
   * @param shape the length of each axis
   */
  public static Tensor zeros(Device device, long... shape) {
    return zeros(device, DType.F32, shape);
  }

  /**
   * {@return a tensor of zeros}
   *
   * @param device where it is
   * @param dtype of its elements
   * @param shape the length of each axis
   */
  public static Tensor zeros(Device device, DType dtype, long... shape) {
    Tensor tensor = empty(device, dtype, shape);
    try {
      Buffer buffer = tensor.operand.buffer();
      device.memory().fill(buffer, 0, buffer.byteSize(), (byte) 0);
      return tensor;
    } catch (RuntimeException | Error e) {
      tensor.close();
      throw e;
    }
  }

  /**
   * {@return an F32 tensor with these elements in row-major order}
   *
   * @param device where it is
   * @param elements row-major, as many as the shape has
   * @param shape the length of each axis
   */
  public static Tensor of(Device device, float[] elements, long... shape) {
    return of(device, DType.F32, MemorySegment.ofArray(elements), elements.length, shape);
  }

  /**
   * {@return an I64 tensor with these elements in row-major order}
   *
   * @param device where it is
   * @param elements row-major, as many as the shape has
   * @param shape the length of each axis
   */
  public static Tensor of(Device device, long[] elements, long... shape) {
    return of(device, DType.I64, MemorySegment.ofArray(elements), elements.length, shape);
  }

  /**
   * {@return an I32 tensor with these elements in row-major order}
   *
   * @param device where it is
   * @param elements row-major, as many as the shape has
   * @param shape the length of each axis
   */
  public static Tensor of(Device device, int[] elements, long... shape) {
    return of(device, DType.I32, MemorySegment.ofArray(elements), elements.length, shape);
  }

  /**
   * {@return a U8 tensor with these elements in row-major order}
   *
   * @param device where it is
   * @param elements row-major, as many as the shape has
   * @param shape the length of each axis
   */
  public static Tensor of(Device device, byte[] elements, long... shape) {
    return of(device, DType.U8, MemorySegment.ofArray(elements), elements.length, shape);
  }

  private static Tensor of(
      Device device, DType dtype, MemorySegment elements, long count, long... shape) {
    if (bytes(dtype, shape) != count * dtype.bytes()) {
      throw new IllegalArgumentException(
          "tensor: %d elements do not fill shape %s".formatted(count, Arrays.toString(shape)));
    }
    Tensor tensor = empty(device, dtype, shape);
    device.memory().write(elements, tensor.operand.buffer(), 0);
    return tensor;
  }

  /**
   * Takes this tensor out of the scope that would close it; whoever holds it then closes it.
   *
   * @return this tensor
   */
  public Tensor detach() {
    Scope.release(this);
    return this;
  }

  /**
   * {@return the same elements with an owner of their own: the memory is there until this tensor is
   * closed too, whatever becomes of the one that it is made of} No scope closes it.
   *
   * @throws IllegalStateException when this tensor is closed
   */
  public Tensor share() {
    Tensor shared = new Tensor(this);
    Reference.reachabilityFence(this);
    return shared;
  }

  /**
   * {@return a tensor over host memory, to be read only: in place where the device can use it, else
   * a copy}
   *
   * @param elements row-major without gaps, aligned to the dtype; must stay alive and unchanged as
   *     long as the tensor
   * @param device where it is
   * @param dtype of its elements
   * @param shape the length of each axis
   */
  public static Tensor adopt(Device device, DType dtype, MemorySegment elements, long... shape) {
    if (bytes(dtype, shape) != elements.byteSize()) {
      throw new IllegalArgumentException(
          "tensor: %d bytes do not fill shape %s of %s"
              .formatted(elements.byteSize(), Arrays.toString(shape), dtype));
    }
    return new Tensor(device, Operand.of(device.memory().adopt(elements), dtype, shape), null);
  }

  /**
   * Puts numbers over the first ones of an I32 tensor without gaps, ahead of all that is asked of
   * the device later.
   *
   * @param elements row-major, as many as it has
   * @throws IllegalArgumentException for more than there are, and for another tensor
   */
  public void write(int... elements) {
    write(DType.I32, elements.length, MemorySegment.ofArray(elements));
  }

  /**
   * The same of an I64 tensor.
   *
   * @param elements row-major, as many as it has
   * @throws IllegalArgumentException for more than there are, and for another tensor
   */
  public void write(long... elements) {
    write(DType.I64, elements.length, MemorySegment.ofArray(elements));
  }

  /**
   * The same of an F32 tensor.
   *
   * @param elements row-major, as many as it has
   * @throws IllegalArgumentException for more than there are, and for another tensor
   */
  public void write(float... elements) {
    write(DType.F32, elements.length, MemorySegment.ofArray(elements));
  }

  private void write(DType of, int length, MemorySegment elements) {
    if (dtype() != of || !operand.isContiguous() || length > count()) {
      throw new IllegalArgumentException(
          "tensor: %d numbers of %s do not fit in %s".formatted(length, of, this));
    }
    device.memory().write(elements, operand.buffer(), operand.byteOffset());
    Reference.reachabilityFence(this);
  }

  /** {@return the device that it is on} */
  public Device device() {
    return device;
  }

  /** {@return the type of its elements} */
  public DType dtype() {
    return operand.dtype();
  }

  /** {@return the length of each axis} */
  public long[] shape() {
    return operand.shape().clone();
  }

  /**
   * {@return the length of an axis; negative axes count from the last}
   *
   * @param axis from 0, or from -1 backwards
   * @throws IllegalArgumentException when there is no such axis
   */
  public long size(int axis) {
    if (axis < -rank() || axis >= rank()) {
      throw new IllegalArgumentException("tensor %s has no axis %d".formatted(this, axis));
    }
    return operand.size(axis);
  }

  /** {@return the number of axes} */
  public int rank() {
    return operand.rank();
  }

  /** {@return the number of elements} */
  public long count() {
    return operand.count();
  }

  /** {@return what kernels take} */
  public Operand operand() {
    return operand;
  }

  /**
   * {@return the same elements under another shape; one length may be -1} Needs a tensor without
   * gaps.
   *
   * @param shape the length of each axis
   */
  public Tensor reshape(long... shape) {
    if (!operand.isContiguous()) {
      throw new IllegalArgumentException(
          "reshape: %s has strides %s, expected row-major without gaps to become %s"
              .formatted(this, Arrays.toString(operand.strides()), Arrays.toString(shape)));
    }
    long[] full = shape.clone();
    int open = -1;
    for (int axis = 0; axis < full.length; axis++) {
      if (full[axis] == -1 && open < 0) {
        open = axis;
        full[axis] = 1;
      }
    }
    long known = bytes(dtype(), full);
    long bytes = count() * dtype().bytes();
    if (open >= 0) {
      full[open] = known == 0 ? 0 : bytes / known;
    }
    if (bytes(dtype(), full) != bytes) {
      throw new IllegalArgumentException(
          "reshape: %s cannot become %s".formatted(this, Arrays.toString(shape)));
    }
    return view(operand.offset(), full, Operand.rowMajor(full));
  }

  /**
   * {@return the part of an axis from begin to before end}
   *
   * @param axis from 0, or from -1 backwards
   * @param begin the first place
   * @param end the place behind the last
   */
  public Tensor slice(int axis, long begin, long end) {
    long size = size(axis);
    int a = axis < 0 ? axis + rank() : axis;
    if (begin < 0 || end < begin || end > size) {
      throw new IllegalArgumentException(
          "slice: %d to %d is outside of axis %d of %s".formatted(begin, end, axis, this));
    }
    long[] shape = shape();
    shape[a] = end - begin;
    return view(operand.offset() + begin * operand.stride(a), shape, operand.strides());
  }

  /**
   * {@return a view with strides of its own, in elements from this tensor's first}
   *
   * @param offset elements from this tensor's first one
   * @param shape the length of each axis
   * @param strides elements from place to place on each axis
   */
  public Tensor strided(long offset, long[] shape, long[] strides) {
    if (offset < 0) {
      throw new IllegalArgumentException(
          "strided: offset %d of %s is negative".formatted(offset, this));
    }
    bytes(dtype(), shape);
    return view(operand.offset() + offset, shape, strides);
  }

  private Tensor view(long offset, long[] shape, long[] strides) {
    return new Tensor(
        device, new Operand(operand.buffer(), offset, dtype(), shape, strides.clone()), owner);
  }

  /**
   * {@return a copy on a device, row-major without gaps; on its own device a tensor is given back
   * as it is}
   *
   * @param target the device
   */
  public Tensor to(Device target) {
    if (target == device) {
      return this;
    }
    Tensor copy = empty(target, dtype(), shape());
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment elements = arena.allocate(Math.max(1, count() * dtype().bytes()), 64);
      elements = elements.asSlice(0, count() * dtype().bytes());
      read(elements);
      target.memory().write(elements, copy.operand.buffer(), 0);
      return copy;
    } catch (RuntimeException | Error e) {
      copy.close();
      throw e;
    }
  }

  /** {@return the elements in row-major order} */
  public float[] toFloatArray() {
    require(DType.F32);
    float[] elements = new float[arrayLength()];
    read(MemorySegment.ofArray(elements));
    return elements;
  }

  /** {@return the elements in row-major order} */
  public long[] toLongArray() {
    require(DType.I64);
    long[] elements = new long[arrayLength()];
    read(MemorySegment.ofArray(elements));
    return elements;
  }

  /** {@return the elements in row-major order} */
  public int[] toIntArray() {
    require(DType.I32);
    int[] elements = new int[arrayLength()];
    read(MemorySegment.ofArray(elements));
    return elements;
  }

  /** {@return the elements of a U8 tensor in row-major order} */
  public byte[] toByteArray() {
    require(DType.U8);
    byte[] elements = new byte[arrayLength()];
    read(MemorySegment.ofArray(elements));
    return elements;
  }

  private void require(DType dtype) {
    if (dtype() != dtype) {
      throw new IllegalArgumentException("tensor %s: expected %s".formatted(this, dtype));
    }
  }

  private int arrayLength() {
    if (isClosed()) {
      throw new IllegalStateException("tensor %s is closed".formatted(this));
    }
    if (count() > MOST_ELEMENTS) {
      throw new IllegalArgumentException(
          "tensor %s has %d elements, an array at most %d".formatted(this, count(), MOST_ELEMENTS));
    }
    return (int) count();
  }

  /**
   * Copies the elements, row-major.
   *
   * @param target of as many bytes as they have
   * @throws IllegalArgumentException for memory of another size
   */
  public void read(MemorySegment target) {
    if (target.byteSize() != count() * dtype().bytes()) {
      throw new IllegalArgumentException(
          "tensor: %d bytes of memory for %s".formatted(target.byteSize(), this));
    }
    if (operand.isContiguous()) {
      device.memory().read(operand.buffer(), operand.byteOffset(), target);
      return;
    }
    int axes = rank();
    long[] index = new long[axes];
    long width = operand.stride(-1) == 1 ? operand.size(-1) : 1;
    long bytes = width * dtype().bytes();
    for (long done = 0; done < target.byteSize(); done += bytes) {
      long at = operand.offset();
      for (int axis = 0; axis < axes; axis++) {
        at += index[axis] * operand.stride(axis);
      }
      device.memory().read(operand.buffer(), at * dtype().bytes(), target.asSlice(done, bytes));
      int axis = axes - 1;
      index[axis] += width;
      while (axis > 0 && index[axis] == operand.size(axis)) {
        index[axis--] = 0;
        index[axis]++;
      }
    }
  }

  /** {@return whether it was closed} */
  public boolean isClosed() {
    return operand.buffer().isClosed();
  }

  /** Gives the memory back; of a view, does nothing. */
  @Override
  public void close() {
    if (memory != null) {
      memory.clean();
    }
  }

  @Override
  public String toString() {
    return operand + "@" + device;
  }
}
