package dev.gatun.ops;

import dev.gatun.kernels.api.call.elementwise.BinaryOp;
import dev.gatun.kernels.api.call.elementwise.Elementwise;
import dev.gatun.tensor.Tensor;

/**
 * Operations on the elements of two tensors of one floating-point type, at most 6 axes each, with
 * NumPy's broadcasting: axes are matched from the last on, and one that a tensor lacks, or has of
 * length 1, is repeated.
 */
public final class Arithmetic {
  private Arithmetic() {}

  /** {@code a + b}. */
  public static Tensor add(Tensor a, Tensor b) {
    return apply(a, b, BinaryOp.ADD);
  }

  /** {@code a - b}. */
  public static Tensor subtract(Tensor a, Tensor b) {
    return apply(a, b, BinaryOp.SUBTRACT);
  }

  /** {@code a b}, element by element. */
  public static Tensor multiply(Tensor a, Tensor b) {
    return apply(a, b, BinaryOp.MULTIPLY);
  }

  /** {@code a / b}. */
  public static Tensor divide(Tensor a, Tensor b) {
    return apply(a, b, BinaryOp.DIVIDE);
  }

  /** The larger element; NaN where either is. */
  public static Tensor maximum(Tensor a, Tensor b) {
    return apply(a, b, BinaryOp.MAXIMUM);
  }

  /** The smaller element; NaN where either is. */
  public static Tensor minimum(Tensor a, Tensor b) {
    return apply(a, b, BinaryOp.MINIMUM);
  }

  private static Tensor apply(Tensor a, Tensor b, BinaryOp op) {
    return Ops.run(
        Tensor.empty(a.device(), a.dtype(), broadcast(a, b)),
        (k, y) -> k.run(new Elementwise(a.operand(), b.operand(), op, y.operand())),
        a,
        b);
  }

  /** The shape of both; of axes that do not go together a's, which the kernel refuses b for. */
  private static long[] broadcast(Tensor a, Tensor b) {
    long[] shape = new long[Math.max(a.rank(), b.rank())];
    for (int axis = 1; axis <= shape.length; axis++) {
      long ofA = axis > a.rank() ? 1 : a.size(-axis);
      long ofB = axis > b.rank() ? 1 : b.size(-axis);
      shape[shape.length - axis] = ofA == 1 ? ofB : ofA;
    }
    return shape;
  }
}
