package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.elementwise.Activate;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.BinaryOp;
import dev.gatun.kernels.api.call.elementwise.Cast;
import dev.gatun.kernels.api.call.elementwise.Compare;
import dev.gatun.kernels.api.call.elementwise.Comparison;
import dev.gatun.kernels.api.call.elementwise.DropElements;
import dev.gatun.kernels.api.call.elementwise.GatedActivation;
import dev.gatun.kernels.api.call.elementwise.RandomDistribution;
import dev.gatun.kernels.api.call.elementwise.RandomNumbers;
import dev.gatun.kernels.api.call.elementwise.Unary;
import dev.gatun.kernels.api.call.elementwise.UnaryOp;
import dev.gatun.kernels.api.call.elementwise.Where;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.Locale;

/**
 * What each element gets by itself. Of two tensors, of one type and at most 6 axes each, shapes are
 * matched by NumPy's broadcasting: axes from the last on, and one that a tensor lacks, or has of
 * length 1, is repeated. Types are F32, BF16 and F16; {@link #add}, {@link #subtract}, {@link
 * #multiply}, {@link #maximum} and {@link #minimum} also take whole numbers, I64, I32, I8 and U8,
 * modulo 2 to the power of their bits.
 */
public final class Elementwise {
  private Elementwise() {}

  /**
   * x with its numbers rounded to another dtype, F32, BF16, F16, I64, I32, I8 or U8; x itself where
   * they are. Those in between become the nearest whole numbers, even ones where two are as near.
   *
   * @param x F32, BF16, F16, I64, I32, I8 or U8 [..., columns], without gaps
   * @param dtype of the result
   * @return of x's shape; x itself, not a copy, where it has the dtype already
   */
  public static Tensor cast(Tensor x, DType dtype) {
    if (x.dtype() == dtype) {
      return x;
    }
    Tape tape = Tape.recording();
    // Whole numbers have no slope.
    Node node = tape == null || !isFloat(dtype) ? null : tape.node("cast", x);
    Tensor cast =
        Calls.run(
            Tensor.empty(x.device(), dtype, x.shape()),
            (k, y) ->
                k.run(new Cast(Calls.rows("cast", x).operand(), Calls.rows("cast", y).operand())),
            x);
    if (node != null) {
      LayoutGradients.same(node, cast);
    }
    return cast;
  }

  /**
   * A function of mathematics of each element of x in F32, BF16 or F16, with at most 6 axes; ABS,
   * NEGATE, SIGN and SQUARE also of I64, I32, I8 and U8, modulo 2 to the power of their bits.
   *
   * @param x of any shape with at most 6 axes, any strides
   * @param op the function
   * @return of x's shape and dtype
   */
  public static Tensor unary(Tensor x, UnaryOp op) {
    Tape tape = Tape.recording();
    Node node = tape == null || UnaryGradients.isStep(op) ? null : tape.node("unary", x);
    Tensor result =
        Calls.run(
            Tensor.empty(x.device(), x.dtype(), x.shape()),
            (k, y) -> k.run(new Unary(x.operand(), op, y.operand())),
            x);
    if (node != null) {
      UnaryGradients.record(node, op, x, result);
    }
    return result;
  }

  /**
   * An activation function of each element.
   *
   * @param x F32, BF16 or F16 [..., columns], without gaps
   * @param activation the function
   * @return of x's shape and dtype
   */
  public static Tensor activation(Tensor x, Activation activation) {
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("activation", x);
    Tensor y =
        Calls.eachRow("activation", x, (k, in, out) -> k.run(new Activate(in, activation, out)));
    if (node != null) {
      ElementwiseGradients.activation(node, x, activation, y);
    }
    return y;
  }

  /**
   * The gradient of an activation in simple ops: {@code dx = dy · activation'(x)}.
   *
   * @param dy F32, of x's shape
   * @param x F32, BF16 or F16
   */
  static Tensor plainActivationBackward(Tensor dy, Tensor x, Activation activation) {
    return activation == Activation.NONE
        ? dy
        : multiply(dy, ElementwiseGradients.slope(Plain.wide(x), activation));
  }

  /**
   * {@code activation(gate) · up}, as feed-forward layers have it (Shazeer, arXiv 2002.05202).
   *
   * @param gate F32, BF16 or F16 [..., columns]; of two axes also with gaps between rows, as a half
   *     of a joined projection
   * @param up of gate's shape and dtype, likewise
   * @param activation of the gate: SiLU for SwiGLU, GELU for GeGLU
   * @return of gate's shape and dtype, contiguous
   */
  public static Tensor gatedActivation(Tensor gate, Tensor up, Activation activation) {
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("gated_activation", gate, up);
    Tensor gated =
        Calls.run(
            Tensor.empty(gate.device(), gate.dtype(), gate.shape()),
            (k, y) ->
                k.run(
                    new GatedActivation(
                        Calls.rows("gated_activation", gate).operand(),
                        Calls.rows("gated_activation", up).operand(),
                        activation,
                        Calls.rows("gated_activation", y).operand())),
            gate,
            up);
    if (node != null) {
      ElementwiseGradients.gated(node, gate, up, activation, gated);
    }
    return gated;
  }

  /**
   * {@link #gatedActivation} in simple ops.
   *
   * @param gate F32, BF16 or F16 [..., columns]
   * @param up of gate's shape and dtype
   * @param activation of the gate
   * @return of gate's shape and dtype, rounded from F32
   */
  public static Tensor plainGatedActivation(Tensor gate, Tensor up, Activation activation) {
    try (Scope scope = Scope.open()) {
      Tensor y = multiply(activation(Plain.wide(gate), activation), Plain.wide(up));
      return scope.keep(cast(y, gate.dtype()));
    }
  }

  /**
   * x with some elements 0 and the others grown by {@code 1 / (1 - probability)}; x itself where
   * the probability is 0. The mask follows from the seed and the places of the elements alone.
   *
   * @param x F32, BF16 or F16, contiguous
   * @param dropout the probability, and the seed of the mask
   * @return of x's shape and dtype; x itself, not a copy, where the probability is 0
   */
  public static Tensor dropout(Tensor x, Dropout dropout) {
    if (dropout.probability() == 0) {
      return x;
    }
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("dropout", x);
    Tensor y =
        Calls.eachRow("dropout", x, (k, in, out) -> k.run(new DropElements(in, dropout, out)));
    if (node != null) {
      ElementwiseGradients.dropout(node, dropout, y);
    }
    return y;
  }

  /**
   * Random numbers of F32 by their places, the same on every device; see {@link RandomNumbers}.
   *
   * @param device where they are made
   * @param distribution uniform or normal
   * @param first the lowest number, or the mean
   * @param second the highest, which rounding may reach, or the deviation
   * @param seed the same numbers come of the same seed and sequence
   * @param sequence numbers of one seed and other sequences are independent
   * @param shape of the result
   * @return F32 of the shape, contiguous
   */
  public static Tensor random(
      Device device,
      RandomDistribution distribution,
      float first,
      float second,
      long seed,
      long sequence,
      long... shape) {
    return Calls.run(
        Tensor.empty(device, DType.F32, shape),
        (k, y) ->
            k.run(
                new RandomNumbers(
                    distribution, first, second, seed, sequence, y.reshape(y.count()).operand())));
  }

  /**
   * {@return {@code a + b}, of a's dtype and the shape of both}
   *
   * @param a F32, BF16, F16, I64, I32, I8 or U8 of at most 6 axes, any strides
   * @param b of a's dtype, broadcast with a
   */
  public static Tensor add(Tensor a, Tensor b) {
    return apply(a, b, BinaryOp.ADD);
  }

  /**
   * {@return {@code a - b}, of a's dtype and the shape of both}
   *
   * @param a F32, BF16, F16, I64, I32, I8 or U8 of at most 6 axes, any strides
   * @param b of a's dtype, broadcast with a
   */
  public static Tensor subtract(Tensor a, Tensor b) {
    return apply(a, b, BinaryOp.SUBTRACT);
  }

  /**
   * {@return {@code a b}, element by element, of a's dtype and the shape of both}
   *
   * @param a F32, BF16, F16, I64, I32, I8 or U8 of at most 6 axes, any strides
   * @param b of a's dtype, broadcast with a
   */
  public static Tensor multiply(Tensor a, Tensor b) {
    return apply(a, b, BinaryOp.MULTIPLY);
  }

  /**
   * {@return {@code a / b}, of a's dtype and the shape of both}
   *
   * @param a F32, BF16 or F16 of at most 6 axes, any strides
   * @param b of a's dtype, broadcast with a
   */
  public static Tensor divide(Tensor a, Tensor b) {
    return apply(a, b, BinaryOp.DIVIDE);
  }

  /**
   * {@return the larger element, of a's dtype and the shape of both; NaN where either is}
   *
   * @param a F32, BF16, F16, I64, I32, I8 or U8 of at most 6 axes, any strides
   * @param b of a's dtype, broadcast with a
   */
  public static Tensor maximum(Tensor a, Tensor b) {
    return apply(a, b, BinaryOp.MAXIMUM);
  }

  /**
   * {@return the smaller element, of a's dtype and the shape of both; NaN where either is}
   *
   * @param a F32, BF16, F16, I64, I32, I8 or U8 of at most 6 axes, any strides
   * @param b of a's dtype, broadcast with a
   */
  public static Tensor minimum(Tensor a, Tensor b) {
    return apply(a, b, BinaryOp.MINIMUM);
  }

  /**
   * {@return {@code a - b ⌊a / b⌋} of whole numbers, which has b's sign; a where b is 0; without a
   * gradient}
   *
   * @param a I64, I32, I8 or U8 of at most 6 axes, any strides
   * @param b of a's dtype, broadcast with a
   */
  public static Tensor remainder(Tensor a, Tensor b) {
    return apply(a, b, BinaryOp.REMAINDER);
  }

  /**
   * {@return 1 where the elements are equal, else 0, of a's dtype and the shape of both; without a
   * gradient}
   *
   * @param a F32, BF16 or F16 of at most 6 axes, any strides
   * @param b of a's dtype, broadcast with a
   */
  public static Tensor equal(Tensor a, Tensor b) {
    return apply(a, b, BinaryOp.EQUAL);
  }

  /**
   * {@return 1 where a's element is less, else 0, of a's dtype and the shape of both; without a
   * gradient}
   *
   * @param a F32, BF16 or F16 of at most 6 axes, any strides
   * @param b of a's dtype, broadcast with a
   */
  public static Tensor less(Tensor a, Tensor b) {
    return apply(a, b, BinaryOp.LESS);
  }

  /**
   * {@return {@code a / √b}, of a's dtype and the shape of both}
   *
   * @param a F32, BF16 or F16 of at most 6 axes, any strides
   * @param b of a's dtype, broadcast with a
   */
  public static Tensor divideByRoot(Tensor a, Tensor b) {
    return apply(a, b, BinaryOp.DIVIDE_BY_ROOT);
  }

  /**
   * {@return a's element where the condition is not 0, else 0, whatever a's is; of a's dtype and
   * the shape of both}
   *
   * @param a F32, BF16 or F16 of at most 6 axes, any strides
   * @param condition of a's dtype, broadcast with a; it has no gradient
   */
  public static Tensor keepWhere(Tensor a, Tensor condition) {
    return apply(a, condition, BinaryOp.KEEP_WHERE);
  }

  /**
   * Whether elements of a and b compare so; without a gradient.
   *
   * @param a F32, BF16, F16, I64, I32, I8 or U8 of at most 6 axes, any strides
   * @param b of a's dtype, broadcast with a
   * @param comparison what is asked of a's element and b's, in this order
   * @return BOOL of the shape of both
   */
  public static Tensor compare(Tensor a, Tensor b, Comparison comparison) {
    return Calls.run(
        Tensor.empty(a.device(), DType.BOOL, broadcast(a.shape(), b.shape())),
        (k, y) -> k.run(new Compare(a.operand(), b.operand(), comparison, y.operand())),
        a,
        b);
  }

  /**
   * a's element where the condition is not 0, else b's, whatever the other is.
   *
   * @param condition BOOL or U8 of at most 6 axes, any strides, broadcast with a and b; it has no
   *     gradient
   * @param a of any dtype, at most 6 axes, any strides
   * @param b of a's dtype, broadcast with a
   * @return of a's dtype and the shape of all three
   */
  public static Tensor where(Tensor condition, Tensor a, Tensor b) {
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("where", a, b);
    long[] shape = broadcast(condition.shape(), broadcast(a.shape(), b.shape()));
    Tensor result =
        Calls.run(
            Tensor.empty(a.device(), a.dtype(), shape),
            (k, y) -> k.run(new Where(condition.operand(), a.operand(), b.operand(), y.operand())),
            condition,
            a,
            b);
    if (node != null) {
      ElementwiseGradients.where(node, condition, a, b, result);
    }
    return result;
  }

  private static Tensor apply(Tensor a, Tensor b, BinaryOp op) {
    Tape tape = Tape.recording();
    Node node = tape == null ? null : node(tape, a, b, op);
    Tensor result =
        Calls.run(
            Tensor.empty(a.device(), a.dtype(), broadcast(a.shape(), b.shape())),
            (k, y) ->
                k.run(
                    new dev.gatun.kernels.api.call.elementwise.Elementwise(
                        a.operand(), b.operand(), op, y.operand())),
            a,
            b);
    if (node != null) {
      ElementwiseGradients.binary(node, op, a, b, result);
    }
    return result;
  }

  /** A node of those whose result changes with a or b other than in steps. */
  private static Node node(Tape tape, Tensor a, Tensor b, BinaryOp op) {
    return switch (op) {
      case EQUAL, LESS, REMAINDER -> null;
      case KEEP_WHERE -> tape.node("keep_where", a);
      default -> tape.node(op.name().toLowerCase(Locale.ROOT), a, b);
    };
  }

  private static boolean isFloat(DType dtype) {
    return dtype == DType.F32 || dtype == DType.BF16 || dtype == DType.F16;
  }

  /** The shape of both; of axes that do not go together a's, which the kernel refuses b for. */
  private static long[] broadcast(long[] a, long... b) {
    long[] shape = new long[Math.max(a.length, b.length)];
    for (int axis = 1; axis <= shape.length; axis++) {
      long ofA = axis > a.length ? 1 : a[a.length - axis];
      long ofB = axis > b.length ? 1 : b[b.length - axis];
      shape[shape.length - axis] = ofA == 1 ? ofB : ofA;
    }
    return shape;
  }
}
