package dev.gatun.ops;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;
import java.util.Arrays;

/**
 * Steps that plain forms are made of. They compute in F32, whole numbers too, which are exact there
 * up to {@link #MOST}; what the host knows of shapes alone are constants.
 */
final class Plain {
  /** The largest number up to which all whole ones are F32s. */
  static final long MOST = 1 << 24;

  private Plain() {}

  /** x without gaps: itself where it has none. */
  static Tensor dense(Tensor x) {
    return x.operand().isContiguous() ? x : Layouts.contiguous(x);
  }

  /** x in F32 without gaps. */
  static Tensor wide(Tensor x) {
    Tensor whole = dense(x);
    return x.rank() == 0
        ? Elementwise.cast(whole.reshape(1), DType.F32)
        : Elementwise.cast(whole, DType.F32);
  }

  static Tensor wideOrNull(Tensor x) {
    return x == null ? null : wide(x);
  }

  /** A result that may be its input as one of its own. */
  static Tensor own(Tensor x, Tensor result) {
    return result.operand().buffer() == x.operand().buffer() ? Layouts.contiguous(result) : result;
  }

  /** One number, for all elements of another tensor. */
  static Tensor number(Device device, double value) {
    return Tensor.of(device, new float[] {(float) value}, 1);
  }

  /** The numbers 0 to count - 1. */
  static Tensor count(Device device, long count) {
    float[] numbers = new float[Math.toIntExact(exact("length", count))];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = i;
    }
    return Tensor.of(device, numbers, numbers.length);
  }

  /** A whole number that F32 and those before it hold. */
  static long exact(String what, long number) {
    if (number > MOST) {
      throw new IllegalArgumentException(
          "plain form: %s is %d, expected at most %d, which F32 counts to"
              .formatted(what, number, MOST));
    }
    return number;
  }

  static Tensor plus(Tensor x, double value) {
    return Elementwise.add(x, number(x.device(), value));
  }

  static Tensor times(Tensor x, double value) {
    return Elementwise.multiply(x, number(x.device(), value));
  }

  static Tensor negated(Tensor x) {
    return Elementwise.subtract(number(x.device(), 0), x);
  }

  /** {@code |x|}. */
  static Tensor absolute(Tensor x) {
    return Elementwise.maximum(x, negated(x));
  }

  /** 1 where a condition is 0, else 0. */
  static Tensor not(Tensor condition) {
    return Elementwise.equal(condition, number(condition.device(), 0));
  }

  /** a where the condition is not 0, else b, with broadcasting. */
  static Tensor where(Tensor condition, Tensor a, Tensor b) {
    return Elementwise.add(
        Elementwise.keepWhere(a, condition), Elementwise.keepWhere(b, not(condition)));
  }

  /** The sum along the last axis, which stays with a length of 1. */
  static Tensor sumOfRows(Tensor x) {
    return Reductions.sum(x, -1).reshape(Calls.withLast(x, 1));
  }

  /** The mean along the last axis, which stays with a length of 1; that of nothing is 0. */
  static Tensor meanOfRows(Tensor x) {
    return x.size(-1) == 0 ? sumOfRows(x) : times(sumOfRows(x), 1.0 / x.size(-1));
  }

  /** The largest number along the last axis, which stays with a length of 1. */
  static Tensor maxOfRows(Tensor x) {
    return Reductions.max(x, -1).reshape(Calls.withLast(x, 1));
  }

  /** Numbers that are whole as indices below a bound. */
  static Ids ids(Tensor numbers, long below) {
    return Ids.known(
        Elementwise.cast(numbers, DType.I64).reshape(numbers.count()), exact("bound", below));
  }

  /** Where each sequence begins: F32 [sequences, 1]. */
  static Tensor begins(Segments segments) {
    return wide(segments.values().slice(0, 0, segments.sequences()))
        .reshape(segments.sequences(), 1);
  }

  /** How many tokens each sequence has: F32 [sequences, 1]. */
  static Tensor lengths(Segments segments) {
    Tensor ends = wide(segments.values().slice(0, 1, segments.sequences() + 1L));
    return Elementwise.subtract(ends.reshape(segments.sequences(), 1), begins(segments));
  }

  /**
   * Packed tokens as [sequences, longest, ...], where a sequence has no more tokens some others'.
   *
   * @param x [tokens, ...] without gaps, of any dtype
   */
  static Tensor padded(Tensor x, Segments segments) {
    long[] shape = new long[x.rank() + 1];
    shape[0] = segments.sequences();
    shape[1] = segments.longest();
    for (int axis = 1; axis < x.rank(); axis++) {
      shape[axis + 1] = x.size(axis);
    }
    if (x.size(0) == 0) {
      return Tensor.zeros(x.device(), x.dtype(), shape);
    }
    Tensor place = Elementwise.add(begins(segments), count(x.device(), segments.longest()));
    Tensor last = number(x.device(), x.size(0) - 1);
    return Indexing.indexSelect(x, 0, ids(Elementwise.minimum(place, last), x.size(0)))
        .reshape(shape);
  }

  /** Rows [sequences, longest, ...] without gaps as packed tokens; those of no sequence are 0. */
  static Tensor packed(Tensor x, Segments segments) {
    long rows = x.size(0) * x.size(1);
    long columns = rows == 0 ? 0 : x.count() / rows;
    Tensor at = count(x.device(), segments.longest());
    Tensor place =
        where(
            Elementwise.less(at, lengths(segments)),
            Elementwise.add(begins(segments), at),
            number(x.device(), Ids.NONE));
    long[] shape = x.shape();
    long[] packed = Arrays.copyOfRange(shape, 1, shape.length);
    packed[0] = segments.tokens();
    Tensor y = Tensor.zeros(x.device(), x.dtype(), packed);
    if (y.count() > 0 && rows > 0) {
      Ids ids = Ids.known(Elementwise.cast(place, DType.I64).reshape(rows), segments.tokens());
      Indexing.scatterRowsInto(
          y.reshape(segments.tokens(), columns), x.reshape(rows, columns), ids);
    }
    return y;
  }

  /** A view with the axes of the shape, of which those with a stride of 0 are repeated. */
  static Tensor view(Tensor x, long[] shape, long[] strides) {
    return x.strided(0, shape, strides);
  }

  /** {@code c[i, m, n] = Σₖ a[i, m, k] b[i, n, k]} of F32s. */
  static Tensor product(Tensor a, Tensor b) {
    return Matmul.batchedMatmul(a, b);
  }

  /** x [rows, k] by weight [n, k]. */
  static Tensor rowsBy(Tensor x, Tensor weight) {
    Operand rows = x.operand();
    Tensor a = view(x, new long[] {1, x.size(0), x.size(1)}, new long[] {0, rows.stride(0), 1});
    Tensor b = weight.reshape(1, weight.size(0), weight.size(1));
    return product(a, b).reshape(x.size(0), weight.size(0));
  }
}
