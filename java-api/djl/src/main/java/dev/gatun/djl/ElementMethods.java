package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.gatun.djl.Tape.Keeps;
import dev.gatun.djl.host.BinaryOp;
import dev.gatun.djl.host.Refusal;
import dev.gatun.djl.host.Strided;
import dev.gatun.djl.host.Types;
import dev.gatun.djl.host.UnaryOp;
import java.util.stream.Stream;

/** Operations on elements by themselves, with NumPy's broadcasting and PyTorch's types. */
interface ElementMethods extends ArrayMethods {
  @Override
  default NDArray eq(Number n) {
    return binary(BinaryOp.EQ, n);
  }

  @Override
  default NDArray eq(NDArray other) {
    return binary(BinaryOp.EQ, other);
  }

  @Override
  default NDArray neq(Number n) {
    return binary(BinaryOp.NEQ, n);
  }

  @Override
  default NDArray neq(NDArray other) {
    return binary(BinaryOp.NEQ, other);
  }

  @Override
  default NDArray gt(Number n) {
    return binary(BinaryOp.GT, n);
  }

  @Override
  default NDArray gt(NDArray other) {
    return binary(BinaryOp.GT, other);
  }

  @Override
  default NDArray gte(Number n) {
    return binary(BinaryOp.GTE, n);
  }

  @Override
  default NDArray gte(NDArray other) {
    return binary(BinaryOp.GTE, other);
  }

  @Override
  default NDArray lt(Number n) {
    return binary(BinaryOp.LT, n);
  }

  @Override
  default NDArray lt(NDArray other) {
    return binary(BinaryOp.LT, other);
  }

  @Override
  default NDArray lte(Number n) {
    return binary(BinaryOp.LTE, n);
  }

  @Override
  default NDArray lte(NDArray other) {
    return binary(BinaryOp.LTE, other);
  }

  @Override
  default NDArray add(Number n) {
    return binary(BinaryOp.ADD, n);
  }

  @Override
  default NDArray add(NDArray other) {
    return binary(BinaryOp.ADD, other);
  }

  @Override
  default NDArray sub(Number n) {
    return binary(BinaryOp.SUB, n);
  }

  @Override
  default NDArray sub(NDArray other) {
    return binary(BinaryOp.SUB, other);
  }

  @Override
  default NDArray mul(Number n) {
    return binary(BinaryOp.MUL, n);
  }

  @Override
  default NDArray mul(NDArray other) {
    return binary(BinaryOp.MUL, other);
  }

  @Override
  default NDArray div(Number n) {
    return binary(BinaryOp.DIV, n);
  }

  @Override
  default NDArray div(NDArray other) {
    return binary(BinaryOp.DIV, other);
  }

  @Override
  default NDArray mod(Number n) {
    return binary(BinaryOp.MOD, n);
  }

  @Override
  default NDArray mod(NDArray other) {
    return binary(BinaryOp.MOD, other);
  }

  @Override
  default NDArray pow(Number n) {
    return binary(BinaryOp.POW, n);
  }

  @Override
  default NDArray pow(NDArray other) {
    return binary(BinaryOp.POW, other);
  }

  @Override
  default NDArray maximum(Number n) {
    return binary(BinaryOp.MAXIMUM, n);
  }

  @Override
  default NDArray maximum(NDArray other) {
    return binary(BinaryOp.MAXIMUM, other);
  }

  @Override
  default NDArray minimum(Number n) {
    return binary(BinaryOp.MINIMUM, n);
  }

  @Override
  default NDArray minimum(NDArray other) {
    return binary(BinaryOp.MINIMUM, other);
  }

  @Override
  default NDArray addi(Number n) {
    return inPlace(BinaryOp.ADD, n);
  }

  @Override
  default NDArray addi(NDArray other) {
    return inPlace(BinaryOp.ADD, other);
  }

  @Override
  default NDArray subi(Number n) {
    return inPlace(BinaryOp.SUB, n);
  }

  @Override
  default NDArray subi(NDArray other) {
    return inPlace(BinaryOp.SUB, other);
  }

  @Override
  default NDArray muli(Number n) {
    return inPlace(BinaryOp.MUL, n);
  }

  @Override
  default NDArray muli(NDArray other) {
    return inPlace(BinaryOp.MUL, other);
  }

  @Override
  default NDArray divi(Number n) {
    return inPlace(BinaryOp.DIV, n);
  }

  @Override
  default NDArray divi(NDArray other) {
    return inPlace(BinaryOp.DIV, other);
  }

  @Override
  default NDArray modi(Number n) {
    return inPlace(BinaryOp.MOD, n);
  }

  @Override
  default NDArray modi(NDArray other) {
    return inPlace(BinaryOp.MOD, other);
  }

  @Override
  default NDArray powi(Number n) {
    return inPlace(BinaryOp.POW, n);
  }

  @Override
  default NDArray powi(NDArray other) {
    return inPlace(BinaryOp.POW, other);
  }

  @Override
  default NDArray xlogy(NDArray other) {
    if (isScalar() || other.isScalar()) {
      throw new IllegalArgumentException("xlogy: an array without axes, expected one or more");
    }
    return binary(BinaryOp.XLOGY, other);
  }

  @Override
  default NDArray atan2(NDArray other) {
    return binary(BinaryOp.ATAN2, other);
  }

  @Override
  default NDArray logicalAnd(NDArray other) {
    return binary(BinaryOp.AND, other);
  }

  @Override
  default NDArray logicalOr(NDArray other) {
    return binary(BinaryOp.OR, other);
  }

  @Override
  default NDArray logicalXor(NDArray other) {
    return binary(BinaryOp.XOR, other);
  }

  @Override
  default NDArray sign() {
    return unary(UnaryOp.SIGN);
  }

  @Override
  default NDArray neg() {
    return unary(UnaryOp.NEG);
  }

  @Override
  default NDArray abs() {
    return unary(UnaryOp.ABS);
  }

  @Override
  default NDArray square() {
    return unary(UnaryOp.SQUARE);
  }

  @Override
  default NDArray sqrt() {
    return unary(UnaryOp.SQRT);
  }

  @Override
  default NDArray cbrt() {
    return unary(UnaryOp.CBRT);
  }

  @Override
  default NDArray floor() {
    return unary(UnaryOp.FLOOR);
  }

  @Override
  default NDArray ceil() {
    return unary(UnaryOp.CEIL);
  }

  @Override
  default NDArray round() {
    return unary(UnaryOp.ROUND);
  }

  @Override
  default NDArray trunc() {
    return unary(UnaryOp.TRUNC);
  }

  @Override
  default NDArray exp() {
    return unary(UnaryOp.EXP);
  }

  @Override
  default NDArray gammaln() {
    return unary(UnaryOp.GAMMALN);
  }

  @Override
  default NDArray log() {
    return unary(UnaryOp.LOG);
  }

  @Override
  default NDArray log10() {
    return unary(UnaryOp.LOG10);
  }

  @Override
  default NDArray log2() {
    return unary(UnaryOp.LOG2);
  }

  @Override
  default NDArray sin() {
    return unary(UnaryOp.SIN);
  }

  @Override
  default NDArray cos() {
    return unary(UnaryOp.COS);
  }

  @Override
  default NDArray tan() {
    return unary(UnaryOp.TAN);
  }

  @Override
  default NDArray asin() {
    return unary(UnaryOp.ASIN);
  }

  @Override
  default NDArray acos() {
    return unary(UnaryOp.ACOS);
  }

  @Override
  default NDArray atan() {
    return unary(UnaryOp.ATAN);
  }

  @Override
  default NDArray sinh() {
    return unary(UnaryOp.SINH);
  }

  @Override
  default NDArray cosh() {
    return unary(UnaryOp.COSH);
  }

  @Override
  default NDArray tanh() {
    return unary(UnaryOp.TANH);
  }

  @Override
  default NDArray asinh() {
    return unary(UnaryOp.ASINH);
  }

  @Override
  default NDArray acosh() {
    return unary(UnaryOp.ACOSH);
  }

  @Override
  default NDArray atanh() {
    return unary(UnaryOp.ATANH);
  }

  @Override
  default NDArray toDegrees() {
    return unary(UnaryOp.TO_DEGREES);
  }

  @Override
  default NDArray toRadians() {
    return unary(UnaryOp.TO_RADIANS);
  }

  @Override
  default NDArray logicalNot() {
    return unary(UnaryOp.LOGICAL_NOT);
  }

  @Override
  default NDArray isInfinite() {
    return unary(UnaryOp.IS_INFINITE);
  }

  @Override
  default NDArray isNaN() {
    return unary(UnaryOp.IS_NAN);
  }

  @Override
  default NDArray erfinv() {
    return unary(UnaryOp.ERFINV);
  }

  @Override
  default NDArray erf() {
    return unary(UnaryOp.ERF);
  }

  @Override
  default NDArray signi() {
    try (GatunNDArray before = self().duplicate();
        GatunNDArray result = before.unary(UnaryOp.SIGN)) {
      return self().overwritten("signi", result);
    }
  }

  @Override
  default NDArray negi() {
    try (GatunNDArray before = self().duplicate();
        GatunNDArray result = before.unary(UnaryOp.NEG)) {
      return self().overwritten("negi", result);
    }
  }

  @Override
  default NDArray clip(Number min, Number max) {
    if (isScalar()) {
      // Of an array without axes numbers count no more than of others.
      try (NDArray row = expandDims(0);
          NDArray clipped = row.clip(min, max)) {
        return clipped.squeeze(0);
      }
    }
    double least = min.doubleValue();
    double most = max.doubleValue();
    try (GatunNDArray x = self().view(self().data());
        GatunNDArray lower = bound(min, max);
        GatunNDArray upper = bound(max, min)) {
      x.untrack();
      try (GatunNDArray raised = x.binary(BinaryOp.MAXIMUM, lower)) {
        return ElementGradients.recorded(
            "clip",
            (value, g) -> value >= least && value <= most ? g : 0,
            raised.binary(BinaryOp.MINIMUM, upper),
            self());
      }
    }
  }

  /** A number that widens the kind alone, to FLOAT32 or INT64, by the kinds of both bounds. */
  private GatunNDArray bound(Number number, Number other) {
    boolean floating =
        Stream.of(number, other).anyMatch(n -> n instanceof Float || n instanceof Double);
    boolean wide = getDataType() == DataType.FLOAT64;
    return number(
        !floating
            ? (Number) number.longValue()
            : wide ? (Number) number.doubleValue() : (Number) number.floatValue());
  }

  /**
   * This array's element where the condition is not 0, else the other's.
   *
   * @param condition of any type
   */
  default GatunNDArray where(NDArray condition, NDArray other) {
    Strided a = self().data();
    Strided b = own(other).data();
    Strided chosen = own(condition).data();
    if (chosen.rank() == 1
        && a.rank() > 1
        && chosen.size(0) == a.size(0)
        && chosen.size(0) != a.size(a.rank() - 1)) {
      // DJL's condition of rows.
      long[] rows = new long[a.rank()];
      java.util.Arrays.fill(rows, 1);
      rows[0] = chosen.size(0);
      try (NDArray spread = condition.reshape(new Shape(rows))) {
        return where(spread, other);
      }
    }
    long[] shape = Strided.broadcast("where", chosen.shape(), a.shape(), b.shape());
    Strided y = Strided.allocate(Types.result(a, b), shape);
    Strided told = Strided.allocate(DataType.BOOLEAN, chosen.shape());
    try {
      if (y.type() == DataType.COMPLEX64) {
        throw Refusal.unsupported("where of complex numbers");
      }
      kernels().copy(chosen, told);
      kernels()
          .where(
              told.expanded("where", shape),
              a.expanded("where", shape),
              b.expanded("where", shape),
              y);
    } catch (RuntimeException | Error e) {
      y.store().release();
      throw e;
    } finally {
      told.store().release();
    }
    return Tape.record(
        self().make(y),
        "where",
        Keeps.INPUTS,
        step -> {
          GatunNDArray g = step.gradient();
          GatunNDArray none =
              step.scratch().from(step.scratch().zeros(new Shape(), g.getDataType()));
          if (step.needs(1)) {
            step.give(1, g.where(step.input(0), none));
          }
          if (step.needs(2)) {
            step.give(2, none.where(step.input(0), g));
          }
        },
        own(condition),
        self(),
        own(other));
  }
}
