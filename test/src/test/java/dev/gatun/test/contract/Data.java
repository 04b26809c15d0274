package dev.gatun.test.contract;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.DoubleSupplier;

/**
 * One operand of a case, on no device yet.
 *
 * @param name how the case's call asks for it
 * @param dtype the element type
 * @param shape the length of each axis
 * @param strides in elements
 * @param values row-major in the order of the shape; null of an output, which begins as poison
 * @param written whether the kernel writes it
 */
record Data(
    String name, DType dtype, long[] shape, long[] strides, double[] values, boolean written) {

  /** An input with random normal values. */
  static Data normal(Random random, String name, long... shape) {
    return input(name, random::nextGaussian, shape);
  }

  /** A float input with values from a source. */
  static Data input(String name, DoubleSupplier source, long... shape) {
    double[] values = new double[count(shape)];
    Arrays.setAll(values, i -> (float) source.getAsDouble());
    return new Data(name, DType.F32, shape, Operand.rowMajor(shape), values, false);
  }

  /** Indices below a limit. */
  static Data ids(Random random, String name, long limit, long count) {
    double[] values = new double[(int) count];
    Arrays.setAll(values, i -> random.nextLong(limit));
    return ids(name, values);
  }

  static Data ids(String name, double... values) {
    return new Data(name, DType.I64, new long[] {values.length}, new long[] {1}, values, false);
  }

  /** An F32 output. */
  static Data output(String name, long... shape) {
    return new Data(name, DType.F32, shape, Operand.rowMajor(shape), null, true);
  }

  /** The same operand with gaps between the entries of all axes but the last. */
  Data spread(Random random) {
    long[] spread = strides.clone();
    long next = 1;
    for (int axis = shape.length - 1; axis >= 0; axis--) {
      spread[axis] = next;
      next = next * Math.max(1, shape[axis]) + random.nextInt(6);
    }
    return new Data(name, dtype, shape, spread, values, written);
  }

  /** The same operand with its axes in another order in memory and gaps between their entries. */
  Data scattered(Random random) {
    List<Integer> order = new ArrayList<>();
    for (int axis = 0; axis < shape.length; axis++) {
      order.add(random.nextInt(order.size() + 1), axis);
    }
    long[] other = new long[shape.length];
    long next = 1 + random.nextInt(2);
    for (int axis : order) {
      other[axis] = next;
      next = next * Math.max(1, shape[axis]) + random.nextInt(3);
    }
    return withStrides(other);
  }

  Data withStrides(long... other) {
    return new Data(name, dtype, shape, other, values, written);
  }

  Data withValues(double... other) {
    return new Data(name, dtype, shape, strides, other, written);
  }

  /** The same values, written to as well. */
  Data inPlace() {
    return new Data(name, dtype, shape, strides, values, true);
  }

  /** The same operand with its values rounded to another dtype. */
  Data withDtype(DType other) {
    double[] rounded = values == null ? null : values.clone();
    for (int i = 0; rounded != null && i < rounded.length; i++) {
      rounded[i] = Numbers.round(rounded[i], other);
    }
    return new Data(name, other, shape, strides, rounded, written);
  }

  /** The same values in F32 where they are narrower floats. */
  Data widened() {
    boolean narrow = dtype == DType.BF16 || dtype == DType.F16;
    return narrow ? new Data(name, DType.F32, shape, strides, values, written) : this;
  }

  /** The same operand with a few values replaced. */
  Data with(Random random, double... special) {
    double[] changed = values.clone();
    for (double x : special) {
      if (changed.length > 0) {
        changed[random.nextInt(changed.length)] = Numbers.round(x, dtype);
      }
    }
    return new Data(name, dtype, shape, strides, changed, written);
  }

  int count() {
    return count(shape);
  }

  private static int count(long... shape) {
    return Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact));
  }

  /** Elements from the first to behind the last. */
  long span() {
    long last = 0;
    for (int axis = 0; axis < shape.length; axis++) {
      if (shape[axis] == 0) {
        return 0;
      }
      last += (shape[axis] - 1) * strides[axis];
    }
    return last + 1;
  }

  /** Where the i-th element of the row-major order lies, in elements from the first. */
  long place(int i) {
    long place = 0;
    long rest = i;
    for (int axis = shape.length - 1; axis >= 0; axis--) {
      place += rest % shape[axis] * strides[axis];
      rest /= shape[axis];
    }
    return place;
  }

  @Override
  public String toString() {
    return name + Arrays.toString(shape);
  }
}
