package dev.gatun.test.contract.frame;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.ToDoubleBiFunction;
import java.util.function.ToDoubleFunction;

/**
 * One operand of a case, on no device yet.
 *
 * @param name how the case's call asks for it
 * @param dtype the element type
 * @param shape the length of each axis
 * @param strides in elements
 * @param contents row-major in the order of the shape; null of an output, which begins as poison
 * @param written whether the kernel writes it
 */
public record Data(
    String name, DType dtype, long[] shape, long[] strides, Values contents, boolean written) {

  /** An input with random normal values. */
  public static Data normal(Random random, String name, long... shape) {
    return input(random, name, Random::nextGaussian, shape);
  }

  /** A float input of numbers that a function draws, with a seed from the case's. */
  public static Data input(
      Random random, String name, ToDoubleFunction<Random> one, long... shape) {
    return input(random.nextLong(), name, one, shape);
  }

  /** A float input of numbers that a function draws. */
  public static Data input(long seed, String name, ToDoubleFunction<Random> one, long... shape) {
    Values values = Values.drawn(seed, count(shape), r -> (float) one.applyAsDouble(r));
    return new Data(name, DType.F32, shape, Operand.rowMajor(shape), values, false);
  }

  /** A float input of numbers that depend on their places in the row-major order too. */
  public static Data placed(
      Random random, String name, ToDoubleBiFunction<Random, Integer> one, long... shape) {
    long seed = random.nextLong();
    int count = count(shape);
    Values values =
        Values.of(
            () -> {
              Random own = new Random(seed);
              double[] made = new double[count];
              Arrays.setAll(made, i -> (float) one.applyAsDouble(own, i));
              return made;
            });
    return new Data(name, DType.F32, shape, Operand.rowMajor(shape), values, false);
  }

  /** Indices below a limit. */
  public static Data ids(Random random, String name, long limit, long count) {
    int length = Math.toIntExact(count);
    Values values = Values.drawn(random.nextLong(), length, r -> r.nextLong(limit));
    return new Data(name, DType.I64, new long[] {count}, new long[] {1}, values, false);
  }

  public static Data ids(String name, double... values) {
    return vector(name, DType.I64, values);
  }

  /** Numbers that are there, one after another. */
  public static Data vector(String name, DType dtype, double... values) {
    return vector(name, dtype, values.length, Values.of(values));
  }

  /** Numbers one after another, made when they are asked for. */
  public static Data vector(String name, DType dtype, long count, Values values) {
    return new Data(name, dtype, new long[] {count}, new long[] {1}, values, false);
  }

  /** Numbers in rows that lie one after another. */
  public static Data rows(String name, DType dtype, Values values, long... shape) {
    return new Data(name, dtype, shape, Operand.rowMajor(shape), values, false);
  }

  public static Data ints(String name, int... values) {
    return vector(name, DType.I32, Arrays.stream(values).asDoubleStream().toArray());
  }

  /** An F32 output. */
  public static Data output(String name, long... shape) {
    return new Data(name, DType.F32, shape, Operand.rowMajor(shape), null, true);
  }

  /** The same operand with gaps between the entries of all axes but the last. */
  public Data spread(Random random) {
    long[] spread = strides.clone();
    long next = 1;
    for (int axis = shape.length - 1; axis >= 0; axis--) {
      spread[axis] = next;
      next = next * Math.max(1, shape[axis]) + random.nextInt(6);
    }
    return new Data(name, dtype, shape, spread, contents, written);
  }

  /** The same operand with its axes in another order in memory and gaps between their entries. */
  public Data scattered(Random random) {
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

  public Data withStrides(long... other) {
    return new Data(name, dtype, shape, other, contents, written);
  }

  /** The same operand with other values, or with none. */
  public Data withValues(Values other) {
    return new Data(name, dtype, shape, strides, other, written);
  }

  /** The same values, written to as well. */
  public Data inPlace() {
    return new Data(name, dtype, shape, strides, contents, true);
  }

  /** The same operand with its values rounded to another dtype. */
  public Data withDtype(DType other) {
    Values rounded = contents == null ? null : contents.changed(values -> round(values, other));
    return new Data(name, other, shape, strides, rounded, written);
  }

  private static double[] round(double[] values, DType dtype) {
    for (int i = 0; i < values.length; i++) {
      values[i] = Numbers.round(values[i], dtype);
    }
    return values;
  }

  /** The same values in F32 where they are narrower floats. */
  public Data widened() {
    boolean narrow = dtype == DType.BF16 || dtype == DType.F16;
    return narrow ? new Data(name, DType.F32, shape, strides, contents, written) : this;
  }

  /** The same operand with a few values replaced. */
  public Data with(Random random, double... special) {
    int count = count();
    if (count == 0) {
      return this;
    }
    int[] places = new int[special.length];
    Arrays.setAll(places, i -> random.nextInt(count));
    return withValues(
        contents.changed(
            values -> {
              for (int i = 0; i < places.length; i++) {
                values[places[i]] = Numbers.round(special[i], dtype);
              }
              return values;
            }));
  }

  /** The values, which nobody may change; null of an output. */
  public double[] values() {
    return contents == null ? null : contents.get();
  }

  public int count() {
    return count(shape);
  }

  private static int count(long... shape) {
    return Math.toIntExact(Arrays.stream(shape).reduce(1, Math::multiplyExact));
  }

  /** Elements from the first to behind the last. */
  public long span() {
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
  public long place(int i) {
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
