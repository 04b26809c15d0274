package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.elementwise.BinaryOp;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;

/** The gradients of {@link Elementwise}. */
final class ElementwiseGradients {
  private ElementwiseGradients() {}

  /** Records {@code y = a op b}, an op with a gradient. */
  static void binary(Node node, BinaryOp op, Tensor a, Tensor b, Tensor y) {
    long[] shapeA = a.shape();
    long[] shapeB = b.shape();
    boolean second = op != BinaryOp.KEEP_WHERE && node.needs(1);
    boolean usesA = op == BinaryOp.MULTIPLY && second || isExtreme(op);
    boolean usesB = op != BinaryOp.ADD && op != BinaryOp.SUBTRACT;
    boolean usesY = second && (op == BinaryOp.DIVIDE || op == BinaryOp.DIVIDE_BY_ROOT);
    Tensor keptA = usesA ? node.save(a) : null;
    Tensor keptB = usesB ? node.save(b) : null;
    Tensor keptY = usesY ? node.save(y) : null;
    node.record(
        () -> {
          Tensor dy = node.gradient();
          if (node.needs(0)) {
            node.give(0, summed(first(op, dy, keptA, keptB), shapeA));
          }
          if (second) {
            node.give(1, summed(second(op, dy, keptA, keptB, keptY), shapeB));
          }
        },
        y);
  }

  /** Records {@code y = condition ? a : b}. */
  static void where(Node node, Tensor condition, Tensor a, Tensor b, Tensor y) {
    Tensor kept = node.save(condition);
    long[] shapeA = a.shape();
    long[] shapeB = b.shape();
    node.record(
        () -> {
          Tensor dy = Plain.wide(node.gradient());
          Tensor none = Plain.number(dy.device(), 0);
          if (node.needs(0)) {
            node.give(0, summed(Elementwise.where(kept, dy, none), shapeA));
          }
          if (node.needs(1)) {
            node.give(1, summed(Elementwise.where(kept, none, dy), shapeB));
          }
        },
        y);
  }

  private static boolean isExtreme(BinaryOp op) {
    return op == BinaryOp.MAXIMUM || op == BinaryOp.MINIMUM;
  }

  private static Tensor first(BinaryOp op, Tensor dy, Tensor a, Tensor b) {
    return switch (op) {
      case ADD, SUBTRACT -> dy;
      case MULTIPLY -> Elementwise.multiply(dy, Plain.wide(b));
      case DIVIDE -> Elementwise.divide(dy, Plain.wide(b));
      case DIVIDE_BY_ROOT -> Elementwise.divideByRoot(dy, Plain.wide(b));
      case KEEP_WHERE -> Elementwise.keepWhere(dy, Plain.wide(b));
      case MAXIMUM -> Elementwise.multiply(dy, share(b, a));
      case MINIMUM -> Elementwise.multiply(dy, share(a, b));
      case EQUAL, LESS, REMAINDER -> throw new IllegalStateException(op + " has no gradient");
    };
  }

  private static Tensor second(BinaryOp op, Tensor dy, Tensor a, Tensor b, Tensor y) {
    return switch (op) {
      case ADD -> dy;
      case SUBTRACT -> Plain.negated(dy);
      case MULTIPLY -> Elementwise.multiply(dy, Plain.wide(a));
      case DIVIDE ->
          Plain.negated(Elementwise.divide(Elementwise.multiply(dy, Plain.wide(y)), Plain.wide(b)));
      case DIVIDE_BY_ROOT ->
          Plain.times(
              Elementwise.divide(Elementwise.multiply(dy, Plain.wide(y)), Plain.wide(b)), -0.5);
      case MAXIMUM -> Elementwise.multiply(dy, share(a, b));
      case MINIMUM -> Elementwise.multiply(dy, share(b, a));
      case EQUAL, LESS, KEEP_WHERE, REMAINDER ->
          throw new IllegalStateException(op + " has no gradient");
    };
  }

  /** 1 where the second is larger, and a half where both are the same. */
  private static Tensor share(Tensor less, Tensor more) {
    Tensor a = Plain.wide(less);
    Tensor b = Plain.wide(more);
    return Elementwise.add(Elementwise.less(a, b), Plain.times(Elementwise.equal(a, b), 0.5));
  }

  /** The gradient of what was repeated to the shape of x: the sum over its repetitions. */
  static Tensor summed(Tensor x, long... shape) {
    int lacking = x.rank() - shape.length;
    int[] repeated =
        IntStream.range(0, x.rank())
            .filter(axis -> axis < lacking || shape[axis - lacking] != x.size(axis))
            .toArray();
    if (repeated.length == 0) {
      return x;
    }
    return Reductions.sum(x, repeated).reshape(shape);
  }

  /** Records {@code y = activation(x)}. */
  static void activation(Node node, Tensor x, Activation activation, Tensor y) {
    Tensor kept = node.save(x);
    node.record(
        () -> {
          boolean narrow = isNarrow(node, kept);
          node.give(
              0,
              ElementwiseBackward.activationBackward(
                  narrow ? Plain.dense(node.narrowGradient(0)) : Plain.wide(node.gradient()),
                  narrow ? Plain.dense(kept) : Plain.wide(kept),
                  activation));
        },
        y);
  }

  /** Whether what came back and what was kept are all BF16: so is what is given then. */
  private static boolean isNarrow(Node node, Tensor... kept) {
    boolean narrow = node.narrowGradient(0).dtype() == DType.BF16;
    for (Tensor each : kept) {
      narrow &= each.dtype() == DType.BF16;
    }
    return narrow;
  }

  /** Records {@code y = activation(gate) · up}. */
  static void gated(Node node, Tensor gate, Tensor up, Activation activation, Tensor y) {
    Tensor keptGate = node.save(gate);
    Tensor keptUp = node.save(up);
    node.record(
        () -> {
          DType dtype = isNarrow(node, keptGate, keptUp) ? DType.BF16 : DType.F32;
          Tensor dy = rows(dtype, dtype == DType.F32 ? node.gradient() : node.narrowGradient(0));
          Tensor g = rows(dtype, keptGate);
          Tensor u = rows(dtype, keptUp);
          // The two are often halves of what one layer gave.
          List<Tensor> places = dy.rank() == 2 ? node.places(dtype, 0, 1) : null;
          if (places != null) {
            ElementwiseBackward.gated(dy, g, u, activation, places.get(0), places.get(1));
            return;
          }
          ElementwiseBackward.Gated given =
              ElementwiseBackward.gatedActivationBackward(dy, g, u, activation);
          node.give(0, given.gate());
          node.give(1, given.up());
        },
        y);
  }

  /** In a dtype; rows of two axes stay where they lie if they have it already. */
  private static Tensor rows(DType dtype, Tensor x) {
    if (x.dtype() != dtype) {
      return Plain.wide(x);
    }
    boolean areRows = x.rank() == 2 && (x.size(1) <= 1 || x.operand().stride(1) == 1);
    return areRows ? x : Plain.dense(x);
  }

  /** Records dropout, whose gradient has the same elements dropped. */
  static void dropout(Node node, Dropout dropout, Tensor y) {
    node.record(
        () -> {
          Tensor dy = Plain.dense(node.narrowGradient(0));
          node.give(0, Elementwise.dropout(dy, dropout));
        },
        y);
  }

  /** What an activation's result changes by with x, F32. */
  static Tensor slope(Tensor x, Activation activation) {
    return switch (activation) {
      case NONE -> throw new IllegalStateException("no activation");
      case RELU -> {
        Tensor zero = Plain.number(x.device(), 0);
        // A NaN lets its gradient through.
        yield Plain.not(Elementwise.add(Elementwise.less(x, zero), Elementwise.equal(x, zero)));
      }
      case TANH -> slopeOfTanh(Elementwise.activation(x, Activation.TANH));
      case SIGMOID -> slopeOfSigmoid(x);
      case SILU -> slopeOfSwish(x, 1);
      case QUICK_GELU -> slopeOfSwish(x, 1.702);
      case GELU -> slopeOfGelu(x);
      case GELU_TANH -> slopeOfGeluTanh(x);
    };
  }

  /** {@code 1 - t²}. */
  private static Tensor slopeOfTanh(Tensor t) {
    return Elementwise.subtract(Plain.number(t.device(), 1), Elementwise.multiply(t, t));
  }

  /**
   * {@code σ(z) σ(-z)}: {@code 1 - σ(z)} would have no more digits than 1 has, and x may be large.
   */
  private static Tensor slopeOfSigmoid(Tensor z) {
    return Elementwise.multiply(sigmoid(z), sigmoid(Plain.negated(z)));
  }

  private static Tensor sigmoid(Tensor z) {
    return Elementwise.activation(z, Activation.SIGMOID);
  }

  /** Of {@code x σ(z)} with {@code z = b x}: {@code σ(z) + z σ(z) σ(-z)}. */
  private static Tensor slopeOfSwish(Tensor x, double b) {
    Tensor z = Plain.times(x, b);
    return Elementwise.add(sigmoid(z), Elementwise.multiply(z, slopeOfSigmoid(z)));
  }

  /** Of {@code x Φ(x)}: {@code Φ(x) + x φ(x)}, with {@code Φ(x) = gelu(x) / x}. */
  private static Tensor slopeOfGelu(Tensor x) {
    Tensor zero = Elementwise.equal(x, Plain.number(x.device(), 0));
    Tensor part = Elementwise.divide(Elementwise.activation(x, Activation.GELU), x);
    Tensor below =
        Elementwise.add(Elementwise.keepWhere(part, Plain.not(zero)), Plain.times(zero, 0.5));
    Tensor density =
        Plain.times(exp(Plain.times(Elementwise.multiply(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
    return Elementwise.add(below, Elementwise.multiply(x, density));
  }

  /** {@code exp(x)} of numbers up to 0: {@code σ(x) / σ(-x)}. */
  static Tensor exp(Tensor x) {
    return Elementwise.divide(sigmoid(x), sigmoid(Plain.negated(x)));
  }

  /**
   * Of {@code 0.5 x (1 + tanh(u)) = x σ(z)} with {@code z = 2 u = 2 c (x + 0.044715 x³)}: {@code
   * σ(z) + x z' σ(z) σ(-z)}.
   */
  private static Tensor slopeOfGeluTanh(Tensor x) {
    double c = 2 * Math.sqrt(2 / Math.PI);
    Tensor square = Elementwise.multiply(x, x);
    Tensor z =
        Plain.times(Elementwise.multiply(x, Plain.plus(Plain.times(square, 0.044715), 1)), c);
    Tensor inner = Plain.times(Plain.plus(Plain.times(square, 3 * 0.044715), 1), c);
    Tensor rest = Elementwise.multiply(Elementwise.multiply(x, inner), slopeOfSigmoid(z));
    return Elementwise.add(sigmoid(z), rest);
  }
}
