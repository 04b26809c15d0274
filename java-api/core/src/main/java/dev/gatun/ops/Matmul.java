package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.BatchedMatmul;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;

/** Products with weights of floats, and of matrices. */
public final class Matmul {
  private Matmul() {}

  /**
   * {@code activation(x weightᵀ + bias)}.
   *
   * @param x F32, BF16 or F16 [..., in_features]; F32 with an F32 weight
   * @param weight as {@link Packing} gives it, or [out_features, in_features] without gaps, of
   *     which a part is packed when it is multiplied by, and not kept
   * @param bias F32 [out_features], or null for none
   * @param outFeatures the rows of the weight
   * @param activation applied to each element
   * @param dtype of the result: F32; also BF16 or F16 where the weight is not F32
   * @return [..., out_features]
   * @throws UnsupportedOperationException when a tape tracks an input, since a packed weight has no
   *     gradient
   */
  public static Tensor linear(
      Tensor x, Tensor weight, Tensor bias, long outFeatures, Activation activation, DType dtype) {
    if (Tape.recording() != null) {
      Tape.refuse("linear by a packed weight alone", x);
      Tape.refuse("linear by a packed weight alone", weight);
      Tape.refuse("linear by a packed weight alone", bias);
    }
    return product(x, weight, bias, outFeatures, activation, dtype);
  }

  /**
   * The same with the weight in rows besides, which the gradients are computed with and belong to.
   * Where it is recorded the activation is an op of its own.
   *
   * @param x F32, BF16 or F16 [..., in_features]; F32 with an F32 weight
   * @param packed the numbers of the weight as {@link Packing} gives them, which only the product
   *     reads
   * @param weight F32, BF16 or F16 [out_features, in_features]
   * @param bias F32 [out_features], or null for none
   * @param activation applied to each element
   * @param dtype of the result: F32; also BF16 or F16 where the packed weight is not F32
   * @return [..., out_features]
   */
  public static Tensor linear(
      Tensor x, Tensor packed, Tensor weight, Tensor bias, Activation activation, DType dtype) {
    Calls.axes("linear", "weight", weight, 2);
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("linear", x, weight, bias);
    if (node == null) {
      return product(x, packed, bias, weight.size(0), activation, dtype);
    }
    Tensor y = product(x, packed, bias, weight.size(0), Activation.NONE, dtype);
    MatmulGradients.linear(node, x, weight, bias, y, packed.dtype() == DType.BF16);
    if (activation == Activation.NONE) {
      return y;
    }
    try (y) {
      return Elementwise.activation(y, activation);
    }
  }

  /** The product without a look at tapes. */
  static Tensor product(
      Tensor x, Tensor packed, Tensor bias, long outFeatures, Activation activation, DType dtype) {
    Operand rows = Calls.rows("matmul", x).operand();
    return Calls.run(
        Tensor.empty(x.device(), dtype, Calls.withLast(x, outFeatures)),
        (k, y) ->
            k.run(
                new dev.gatun.kernels.api.call.matmul.Matmul(
                    rows,
                    packed.operand(),
                    Calls.operand(bias),
                    activation,
                    Calls.rows("matmul", y).operand())),
        x,
        packed,
        bias);
  }

  /**
   * {@link #linear} in simple ops.
   *
   * @param x F32, BF16 or F16 [..., in_features]
   * @param weight F32, BF16 or F16 [out_features, in_features], not packed
   * @param bias F32 [out_features], or null for none
   * @param activation applied to each element
   * @param dtype of the result: F32, BF16 or F16
   * @return [..., out_features]
   */
  public static Tensor plainLinear(
      Tensor x, Tensor weight, Tensor bias, Activation activation, DType dtype) {
    try (Scope scope = Scope.open()) {
      Tensor rows = Calls.rows("matmul", x);
      // A product with BF16 weights rounds its other factor.
      Tensor rounded =
          weight.dtype() == DType.BF16
              ? Elementwise.cast(Layouts.contiguous(rows), DType.BF16)
              : rows;
      Tensor y = Plain.rowsBy(Plain.wide(rounded), Plain.wide(weight));
      y = bias == null ? y : Elementwise.add(y, bias);
      y = Elementwise.cast(Elementwise.activation(y, activation), dtype);
      return scope.keep(Layouts.contiguous(y.reshape(Calls.withLast(x, weight.size(0)))));
    }
  }

  /**
   * {@code c[i, m, n] = Σₖ a[i, m, k] b[i, n, k]}, summed in F32; strided views serve as transposed
   * or repeated factors.
   *
   * @param a F32, BF16 or F16 [batch, m, k], any strides
   * @param b of a's dtype [batch, n, k], any strides
   * @return of a's dtype [batch, m, n]
   */
  public static Tensor batchedMatmul(Tensor a, Tensor b) {
    Calls.axes("batched_matmul", "a", a, 3);
    Calls.axes("batched_matmul", "b", b, 3);
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("batched_matmul", a, b);
    Tensor product =
        Calls.run(
            Tensor.empty(a.device(), a.dtype(), a.size(0), a.size(1), b.size(1)),
            (k, c) -> k.run(new BatchedMatmul(a.operand(), b.operand(), c.operand())),
            a,
            b);
    if (node != null) {
      MatmulGradients.batched(node, a, b, product);
    }
    return product;
  }
}
