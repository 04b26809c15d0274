package dev.gatun.tensor;

import dev.gatun.kernels.api.Buffer;
import dev.gatun.kernels.api.DType;
import dev.gatun.kernels.api.Operand;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.util.Arrays;

/**
 * An array of numbers on a device. A tensor made while a {@link Scope} is open is closed with it;
 * one made outside of any is closed by {@link #close}, or once it is unreachable. Views share the
 * memory of the tensor that they were made of, and end with it.
 */
public final class Tensor implements AutoCloseable {
  private static final Cleaner CLEANER = Cleaner.create();

  private final Device device;
  private final Operand operand;
  // The tensor that owns the memory, kept reachable by its views; this for an owner.
  private final Tensor owner;

  private Tensor(Device device, Operand operand, Tensor owner) {
    this.device = device;
    this.operand = operand;
    this.owner = owner == null ? this : owner;
    if (owner == null) {
      Buffer buffer = operand.buffer();
      CLEANER.register(this, buffer::close);
      Scope.adopt(this);
    }
  }

  /** A tensor with undefined contents. */
  public static Tensor empty(Device device, DType dtype, long... shape) {
    long count = 1;
    for (long length : shape) {
      if (length < 0) {
        throw new IllegalArgumentException(
            "tensor: shape %s has a negative length".formatted(Arrays.toString(shape)));
      }
      try {
        count = Math.multiplyExact(count, length);
      } catch (ArithmeticException e) {
        throw new IllegalArgumentException(
            "tensor: shape %s has more elements than a long counts"
                .formatted(Arrays.toString(shape)));
      }
    }
    Buffer buffer = device.memory().allocate(Math.multiplyExact(count, dtype.bytes()));
    return new Tensor(device, Operand.of(buffer, dtype, shape), null);
  }

  /** An F32 tensor of zeros. */
  public static Tensor zeros(Device device, long... shape) {
    Tensor tensor = empty(device, DType.F32, shape);
    tensor.write(MemorySegment.ofArray(new float[Math.toIntExact(tensor.count())]));
    return tensor;
  }

  /** An F32 tensor with these elements in row-major order. */
  public static Tensor of(Device device, float[] elements, long... shape) {
    return of(device, DType.F32, MemorySegment.ofArray(elements), elements.length, shape);
  }

  /** An I64 tensor with these elements in row-major order. */
  public static Tensor of(Device device, long[] elements, long... shape) {
    return of(device, DType.I64, MemorySegment.ofArray(elements), elements.length, shape);
  }

  private static Tensor of(
      Device device, DType dtype, MemorySegment elements, long count, long... shape) {
    Tensor tensor = empty(device, dtype, shape);
    if (tensor.count() != count) {
      tensor.close();
      throw new IllegalArgumentException(
          "tensor: %d elements do not fill shape %s".formatted(count, Arrays.toString(shape)));
    }
    tensor.write(elements);
    return tensor;
  }

  private void write(MemorySegment elements) {
    device.memory().write(elements, operand.buffer(), 0);
  }

  public Device device() {
    return device;
  }

  public DType dtype() {
    return operand.dtype();
  }

  /** The length of each axis. */
  public long[] shape() {
    return operand.shape().clone();
  }

  /** The length of an axis; negative axes count from the last. */
  public long size(int axis) {
    return operand.size(axis);
  }

  public int rank() {
    return operand.rank();
  }

  public long count() {
    return operand.count();
  }

  /** What kernels take. */
  public Operand operand() {
    return operand;
  }

  /** The same elements under another shape; one length may be -1. Needs a tensor without gaps. */
  public Tensor reshape(long... shape) {
    long[] full = shape.clone();
    long known = 1;
    int open = -1;
    for (int axis = 0; axis < full.length; axis++) {
      if (full[axis] == -1 && open < 0) {
        open = axis;
      } else {
        known *= full[axis];
      }
    }
    if (open >= 0) {
      full[open] = known == 0 ? 0 : count() / known;
      known *= full[open];
    }
    if (known != count() || !operand.isContiguous()) {
      throw new IllegalArgumentException(
          "reshape: %s cannot become %s".formatted(this, Arrays.toString(shape)));
    }
    return view(operand.offset(), full, Operand.rowMajor(full));
  }

  /** The part of an axis from begin to before end. */
  public Tensor slice(int axis, long begin, long end) {
    int a = axis < 0 ? axis + rank() : axis;
    if (begin < 0 || end < begin || end > size(a)) {
      throw new IllegalArgumentException(
          "slice: %d to %d is outside of axis %d of %s".formatted(begin, end, axis, this));
    }
    long[] shape = shape();
    shape[a] = end - begin;
    return view(operand.offset() + begin * operand.stride(a), shape, operand.strides());
  }

  /** A view with strides of its own, in elements from this tensor's first. */
  public Tensor strided(long offset, long[] shape, long[] strides) {
    return view(operand.offset() + offset, shape, strides);
  }

  private Tensor view(long offset, long[] shape, long[] strides) {
    return new Tensor(
        device, new Operand(operand.buffer(), offset, dtype(), shape, strides.clone()), owner);
  }

  /** The elements in row-major order. */
  public float[] toFloatArray() {
    require(DType.F32);
    float[] elements = new float[Math.toIntExact(count())];
    read(MemorySegment.ofArray(elements));
    return elements;
  }

  /** The elements in row-major order. */
  public long[] toLongArray() {
    require(DType.I64);
    long[] elements = new long[Math.toIntExact(count())];
    read(MemorySegment.ofArray(elements));
    return elements;
  }

  private void require(DType dtype) {
    if (dtype() != dtype) {
      throw new IllegalArgumentException("tensor %s: expected %s".formatted(this, dtype));
    }
  }

  private void read(MemorySegment target) {
    if (isClosed()) {
      throw new IllegalStateException("tensor %s is closed".formatted(this));
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

  public boolean isClosed() {
    return operand.buffer().isClosed();
  }

  /** Gives the memory back; of a view, does nothing. */
  @Override
  public void close() {
    if (owner == this) {
      operand.buffer().close();
    }
  }

  @Override
  public String toString() {
    return operand + "@" + device;
  }
}
