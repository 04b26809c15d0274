package dev.gatun.djl;

import dev.gatun.djl.Tape.Backward;
import dev.gatun.djl.Tape.Keeps;
import dev.gatun.djl.host.ArrayKernels;
import dev.gatun.djl.host.ArrayKernels.Ternary;
import dev.gatun.djl.host.BinaryOp;
import dev.gatun.djl.host.SpecialFunctions;
import dev.gatun.djl.host.Strided;
import dev.gatun.djl.host.UnaryOp;
import java.util.EnumMap;
import java.util.Map;
import java.util.function.DoubleBinaryOperator;

/** The gradients of operations on elements by themselves. */
final class ElementGradients {
  /**
   * The gradient of an element.
   *
   * @param ofResult whether it comes from what became of the element
   * @param function of the element, or what became of it, and the gradient of that
   */
  private record Unary(boolean ofResult, DoubleBinaryOperator function) {}

  /** The gradients of two elements, each a function of both and of the result's gradient. */
  private record Binary(Ternary left, Ternary right) {}

  private static final Map<UnaryOp, Unary> UNARY = new EnumMap<>(UnaryOp.class);
  private static final Map<BinaryOp, Binary> BINARY = new EnumMap<>(BinaryOp.class);

  static {
    of(UnaryOp.ABS, (x, g) -> g * Math.signum(x));
    of(UnaryOp.NEG, (x, g) -> -g);
    for (UnaryOp steps :
        new UnaryOp[] {UnaryOp.SIGN, UnaryOp.FLOOR, UnaryOp.CEIL, UnaryOp.ROUND, UnaryOp.TRUNC}) {
      of(steps, (x, g) -> 0);
    }
    of(UnaryOp.SQUARE, (x, g) -> 2 * x * g);
    of(UnaryOp.RELU, (x, g) -> x <= 0 ? 0 : g);
    ofResult(UnaryOp.SQRT, (y, g) -> g / (2 * y));
    ofResult(UnaryOp.CBRT, (y, g) -> g / (3 * y * y));
    ofResult(UnaryOp.EXP, (y, g) -> g * y);
    of(UnaryOp.LOG, (x, g) -> g / x);
    of(UnaryOp.LOG10, (x, g) -> g / (x * Math.log(10)));
    of(UnaryOp.LOG2, (x, g) -> g / (x * Math.log(2)));
    of(UnaryOp.GAMMALN, (x, g) -> g * SpecialFunctions.digamma(x));
    of(UnaryOp.SIN, (x, g) -> g * Math.cos(x));
    of(UnaryOp.COS, (x, g) -> -g * Math.sin(x));
    ofResult(UnaryOp.TAN, (y, g) -> g * (1 + y * y));
    of(UnaryOp.ASIN, (x, g) -> g / Math.sqrt(1 - x * x));
    of(UnaryOp.ACOS, (x, g) -> -g / Math.sqrt(1 - x * x));
    of(UnaryOp.ATAN, (x, g) -> g / (1 + x * x));
    of(UnaryOp.SINH, (x, g) -> g * Math.cosh(x));
    of(UnaryOp.COSH, (x, g) -> g * Math.sinh(x));
    ofResult(UnaryOp.TANH, (y, g) -> g * (1 - y * y));
    of(UnaryOp.ASINH, (x, g) -> g / Math.sqrt(x * x + 1));
    of(UnaryOp.ACOSH, (x, g) -> g / Math.sqrt(x * x - 1));
    of(UnaryOp.ATANH, (x, g) -> g / (1 - x * x));
    of(UnaryOp.ERF, (x, g) -> g * 2 / Math.sqrt(Math.PI) * Math.exp(-x * x));
    ofResult(UnaryOp.ERFINV, (y, g) -> g * Math.sqrt(Math.PI) / 2 * Math.exp(y * y));
    of(UnaryOp.TO_DEGREES, (x, g) -> g * 180 / Math.PI);
    of(UnaryOp.TO_RADIANS, (x, g) -> g * Math.PI / 180);
    ofResult(UnaryOp.SIGMOID, (y, g) -> g * y * (1 - y));
    of(UnaryOp.SOFTPLUS, (x, g) -> g * SpecialFunctions.sigmoid(x));
    of(UnaryOp.SOFTSIGN, (x, g) -> g / ((1 + Math.abs(x)) * (1 + Math.abs(x))));
    of(UnaryOp.SELU, (x, g) -> g * SpecialFunctions.seluSlope(x));
    of(UnaryOp.GELU, (x, g) -> g * SpecialFunctions.geluSlope(x));

    of(BinaryOp.ADD, (a, b, g) -> g, (a, b, g) -> g);
    of(BinaryOp.SUB, (a, b, g) -> g, (a, b, g) -> -g);
    of(BinaryOp.MUL, (a, b, g) -> g * b, (a, b, g) -> g * a);
    of(BinaryOp.DIV, (a, b, g) -> g / b, (a, b, g) -> -g * (a / b) / b);
    of(BinaryOp.MOD, (a, b, g) -> g, (a, b, g) -> -g * Math.floor(a / b));
    of(
        BinaryOp.POW,
        (a, b, g) -> b == 0 ? 0 : g * b * Math.pow(a, b - 1),
        (a, b, g) -> a == 0 && b >= 0 ? 0 : g * Math.pow(a, b) * Math.log(a));
    of(
        BinaryOp.MAXIMUM,
        (a, b, g) -> a > b ? g : a == b ? g / 2 : 0,
        (a, b, g) -> b > a ? g : a == b ? g / 2 : 0);
    of(
        BinaryOp.MINIMUM,
        (a, b, g) -> a < b ? g : a == b ? g / 2 : 0,
        (a, b, g) -> b < a ? g : a == b ? g / 2 : 0);
    of(BinaryOp.ATAN2, (a, b, g) -> g * b / (a * a + b * b), (a, b, g) -> -g * a / (a * a + b * b));
    of(
        BinaryOp.XLOGY,
        (a, b, g) -> a == 0 && b <= 0 || g == 0 && !Double.isNaN(b) ? 0 : g * Math.log(b),
        (a, b, g) -> g * a / b);
  }

  private ElementGradients() {}

  private static void of(UnaryOp op, DoubleBinaryOperator function) {
    UNARY.put(op, new Unary(false, function));
  }

  private static void ofResult(UnaryOp op, DoubleBinaryOperator function) {
    UNARY.put(op, new Unary(true, function));
  }

  private static void of(BinaryOp op, Ternary left, Ternary right) {
    BINARY.put(op, new Binary(left, right));
  }

  private static String name(Enum<?> op) {
    return op.name().toLowerCase(java.util.Locale.ROOT);
  }

  /** Records a result of one array. */
  static GatunNDArray recorded(UnaryOp op, GatunNDArray result, GatunNDArray x) {
    if (!Tape.follows(x)) {
      return result;
    }
    Unary gradient = UNARY.get(op);
    if (gradient == null) {
      return result;
    }
    return Tape.record(
        result,
        name(op),
        gradient.ofResult ? Keeps.RESULT : Keeps.INPUTS,
        step -> {
          GatunNDArray value = gradient.ofResult ? step.result() : step.input(0);
          step.give(
              0, made(step, value, value, (a, b, g) -> gradient.function.applyAsDouble(a, g)));
        },
        x);
  }

  /** Records what a function made of each element. */
  static GatunNDArray recorded(
      String op, DoubleBinaryOperator derivative, GatunNDArray result, GatunNDArray x) {
    return Tape.record(
        result,
        op,
        Keeps.INPUTS,
        step -> {
          GatunNDArray value = step.input(0);
          step.give(0, made(step, value, value, (a, b, g) -> derivative.applyAsDouble(a, g)));
        },
        x);
  }

  /** Records a result of two arrays. */
  static GatunNDArray recorded(BinaryOp op, GatunNDArray result, GatunNDArray a, GatunNDArray b) {
    if (op.tells() || !Tape.follows(a, b)) {
      return result;
    }
    Binary gradient = BINARY.get(op);
    if (op == BinaryOp.ADD || op == BinaryOp.SUB) {
      return Tape.record(
          result,
          name(op),
          Keeps.NOTHING,
          step -> {
            GatunNDArray g = step.gradient();
            step.give(0, g);
            if (step.needs(1)) {
              step.give(1, op == BinaryOp.ADD ? g : g.neg());
            }
          },
          a,
          b);
    }
    if (op == BinaryOp.MUL) {
      return Tape.record(
          result,
          name(op),
          Keeps.INPUTS,
          step -> {
            if (step.needs(0)) {
              step.give(0, step.gradient().mul(step.input(1)));
            }
            if (step.needs(1)) {
              step.give(1, step.gradient().mul(step.input(0)));
            }
          },
          a,
          b);
    }
    return Tape.record(
        result,
        name(op),
        Keeps.INPUTS,
        step -> {
          if (step.needs(0)) {
            step.give(0, made(step, step.input(0), step.input(1), gradient.left));
          }
          if (step.needs(1)) {
            step.give(1, made(step, step.input(0), step.input(1), gradient.right));
          }
        },
        a,
        b);
  }

  private static GatunNDArray made(
      Backward step, GatunNDArray a, GatunNDArray b, Ternary function) {
    Strided g = step.gradient().data();
    Strided y = Strided.allocate(g.type(), g.shape());
    ArrayKernels.host()
        .map(
            function,
            a.data().expanded("backward", g.shape()),
            b.data().expanded("backward", g.shape()),
            g,
            y);
    return step.scratch().make(y);
  }
}
