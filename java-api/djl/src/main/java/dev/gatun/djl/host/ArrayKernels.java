package dev.gatun.djl.host;

import ai.djl.ndarray.types.DataType;
import dev.gatun.kernels.api.call.elementwise.RandomDistribution;
import dev.gatun.kernels.api.call.elementwise.RandomNumbers;
import dev.gatun.kernels.api.call.optim.UpdateRule;
import java.lang.foreign.MemorySegment;
import java.util.function.DoubleSupplier;
import java.util.function.DoubleUnaryOperator;

/**
 * What the engine asks of a device for arrays of any type and strides: results are written to
 * arrays that are there. Checks of types and shapes are the caller's.
 */
public interface ArrayKernels {
  /** {@return the kernels of the processor} */
  static ArrayKernels host() {
    return HostKernels.INSTANCE;
  }

  /** y = x, in y's type; of equal shapes. */
  void copy(Strided x, Strided y);

  /** The elements of y, row-major without gaps, become what bytes say, as many as it has. */
  void write(Strided y, MemorySegment bytes);

  /** Bytes become the elements of x, row-major, as many as it has. */
  void read(Strided x, MemorySegment bytes);

  /** Every element of y becomes a number. */
  void fill(Strided y, double value);

  /** Whether complex numbers have an operation. */
  boolean hasComplex(UnaryOp op);

  /** Whether complex numbers have an operation. */
  boolean hasComplex(BinaryOp op);

  /** y = op(x); of equal shapes. */
  void unary(UnaryOp op, Strided x, Strided y);

  /** The elements of y become numbers, row-major, one after another. */
  void generate(DoubleSupplier numbers, Strided y);

  /**
   * {@code y = (x - mean) / √(variance + eps) · weight + bias} over each run of so many elements.
   *
   * @param x contiguous, as y
   * @param weight of as many elements as a run has, or null
   * @param bias the same
   * @return whether there is a kernel for it; else nothing was done
   */
  boolean layerNorm(Strided x, Strided weight, Strided bias, long columns, float eps, Strided y);

  /** y = function(x), of floating-point numbers; in no order, by several threads. */
  void map(DoubleUnaryOperator function, Strided x, Strided y);

  /** What is made of three numbers. */
  interface Ternary {
    /** {@return the result} */
    double of(double a, double b, double c);
  }

  /** y = function(a, b, c), of floating-point numbers and equal shapes. */
  void map(Ternary function, Strided a, Strided b, Strided c, Strided y);

  /**
   * y = op(a, b); of equal shapes.
   *
   * @param common the type as whose numbers elements are taken
   */
  void binary(BinaryOp op, DataType common, Strided a, Strided b, Strided y);

  /** y = condition ? a : b; of equal shapes. */
  void where(Strided condition, Strided a, Strided b, Strided y);

  /**
   * y of all elements of x along the axes on which y has a length of 1.
   *
   * @param map what is made of each element first, or null
   * @param y new, of x's rank
   */
  void reduce(ReduceOp op, DoubleUnaryOperator map, Strided x, Strided y);

  /** Sums or products of all places up to each. */
  void scan(ReduceOp op, Strided x, int axis, Strided y);

  /**
   * Random numbers by their places, of FLOAT32; see {@link RandomNumbers}.
   *
   * @param y new
   */
  void random(
      RandomDistribution distribution,
      float first,
      float second,
      long seed,
      long sequence,
      Strided y);

  /** The softmax along an axis, or its logarithm. */
  void softmax(Strided x, int axis, boolean log, Strided y);

  /** The place of the first largest, or smallest, of an axis; y has a length of 1 there. */
  void extreme(Strided x, int axis, boolean largest, Strided y);

  /**
   * The first elements of an axis in their order, as many as the results have room for.
   *
   * @param places INT64, or null
   * @param values of x's type, or null
   */
  void sort(Strided x, int axis, boolean descending, Strided places, Strided values);

  /** y[.., i, ..] = x[.., index[.., i, ..], ..]; index has y's shape. */
  void gather(Strided x, Strided index, int axis, Strided y);

  /** y[.., index[.., i, ..], ..] = x[.., i, ..]; index has x's shape, x the type of y. */
  void scatter(Strided y, Strided index, int axis, Strided x);

  /** y[.., index[.., i, ..], ..] += x[.., i, ..], of floating-point numbers. */
  void scatterAdd(Strided y, Strided index, int axis, Strided x);

  /** Rows of y are added to what {@link #indexed} would read them from. */
  void indexedAdd(Strided x, int[] axes, long[][] indices, Strided y);

  /** {@return the whole numbers of an array, row-major} */
  long[] numbers(Strided x);

  /** {@return how many elements are not 0} */
  long countTrue(Strided x);

  /**
   * Elements, and what is behind their axes, at the places that index arrays of one shape name.
   *
   * @param x what is indexed
   * @param axes which of its axes, rising
   * @param indices for each of them as many numbers as the places, which may count from the end
   * @param y [places, other axes of x in their order], of x's type
   * @param puts whether elements go from y to x
   */
  void indexed(Strided x, int[] axes, long[][] indices, Strided y, boolean puts);

  /**
   * The elements where a mask is not 0, in a row.
   *
   * @param puts whether they go from y to x
   */
  void masked(Strided x, Strided mask, Strided y, boolean puts);

  /** y [planes, taps, windows] = windows of x [planes, inner], 0 in the padding; without gaps. */
  void unfold(Windows windows, Strided x, Strided y);

  /** y [planes, inner] = the sums of windows x [planes, taps, windows]; without gaps. */
  void fold(Windows windows, Strided x, Strided y);

  /** y[i, m, n] = Σₖ a[i, m, k] b[i, k, n], of three axes each and one type. */
  void matmul(Strided a, Strided b, Strided y);

  /**
   * A step of AdamW in place, whose rate has the corrections of both means in it already: that of
   * the rule at a step so late that its own are 1.
   *
   * @param decay times the rate is what the weight loses of itself
   * @param limit what each element of the gradient is limited to, either way; or infinity
   * @param weight as the gradient, and the means of it and of its square
   * @return whether there is a kernel for such arrays; else nothing was done
   */
  boolean adam(
      UpdateRule.Adam rule,
      double rate,
      double decay,
      float limit,
      Strided weight,
      Strided gradient,
      Strided mean,
      Strided square);
}
