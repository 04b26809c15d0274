package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.kernels.api.call.elementwise.UnaryOp;
import dev.gatun.tensor.Tensor;

/** The gradients of {@link Elementwise#unary}. */
final class UnaryGradients {
  private UnaryGradients() {}

  /** Whether a function changes in steps alone, so that nothing passes through it. */
  static boolean isStep(UnaryOp op) {
    return switch (op) {
      case SIGN, FLOOR, CEIL, ROUND, TRUNC -> true;
      default -> false;
    };
  }

  /** Records {@code y = op(x)}, of a function that is no step. */
  static void record(Node node, UnaryOp op, Tensor x, Tensor y) {
    Tensor kept = node.save(isOfResult(op) ? y : x);
    node.record(
        () -> node.give(0, Elementwise.multiply(node.gradient(), slope(op, Plain.wide(kept)))), y);
  }

  /** Whether the slope is a function of the result. */
  private static boolean isOfResult(UnaryOp op) {
    return switch (op) {
      case RECIPROCAL, SQRT, RSQRT, CBRT, EXP, EXPM1, TAN -> true;
      default -> false;
    };
  }

  /** The derivative, of the result for those that {@link #isOfResult} names, else of x. */
  private static Tensor slope(UnaryOp op, Tensor v) {
    return switch (op) {
      case ABS -> Elementwise.unary(v, UnaryOp.SIGN);
      case NEGATE -> Plain.number(v.device(), -1);
      case SQUARE -> Plain.times(v, 2);
      case RECIPROCAL -> Plain.negated(square(v));
      case SQRT -> Plain.times(reciprocal(v), 0.5);
      case RSQRT -> Plain.times(Elementwise.multiply(square(v), v), -0.5);
      case CBRT -> reciprocal(Plain.times(square(v), 3));
      case EXP -> v;
      case EXPM1 -> Plain.plus(v, 1);
      case LOG -> reciprocal(v);
      case LOG1P -> reciprocal(Plain.plus(v, 1));
      case LOG2 -> reciprocal(Plain.times(v, Math.log(2)));
      case LOG10 -> reciprocal(Plain.times(v, Math.log(10)));
      case SIN -> Elementwise.unary(v, UnaryOp.COS);
      case COS -> Plain.negated(Elementwise.unary(v, UnaryOp.SIN));
      case TAN -> Plain.plus(square(v), 1);
      case ASIN -> root(besideSquare(v));
      case ACOS -> Plain.negated(root(besideSquare(v)));
      case ATAN -> reciprocal(Plain.plus(square(v), 1));
      case SINH -> Elementwise.unary(v, UnaryOp.COSH);
      case COSH -> Elementwise.unary(v, UnaryOp.SINH);
      case ASINH -> root(Plain.plus(square(v), 1));
      case ACOSH -> root(Plain.negated(besideSquare(v)));
      case ATANH -> reciprocal(besideSquare(v));
      case ERF ->
          Plain.times(
              Elementwise.unary(Plain.negated(square(v)), UnaryOp.EXP), 2 / Math.sqrt(Math.PI));
      case SIGN, FLOOR, CEIL, ROUND, TRUNC ->
          throw new IllegalStateException(op + " has no gradient");
    };
  }

  private static Tensor square(Tensor x) {
    return Elementwise.unary(x, UnaryOp.SQUARE);
  }

  private static Tensor reciprocal(Tensor x) {
    return Elementwise.unary(x, UnaryOp.RECIPROCAL);
  }

  /** {@code 1 / √x}. */
  private static Tensor root(Tensor x) {
    return Elementwise.unary(x, UnaryOp.RSQRT);
  }

  /** {@code 1 - x²} as {@code (1 - x) (1 + x)}, in which nothing cancels. */
  private static Tensor besideSquare(Tensor x) {
    return Elementwise.multiply(
        Elementwise.subtract(Plain.number(x.device(), 1), x), Plain.plus(x, 1));
  }
}
