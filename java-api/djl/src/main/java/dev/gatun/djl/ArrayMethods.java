package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import dev.gatun.djl.host.ArrayKernels;
import dev.gatun.djl.host.BinaryOp;
import dev.gatun.djl.host.Refusal;
import dev.gatun.djl.host.Strided;
import dev.gatun.djl.host.Types;
import dev.gatun.djl.host.UnaryOp;
import java.util.function.DoubleUnaryOperator;

/** What the families of an array's methods share. */
interface ArrayMethods extends NDArray {
  /** This array. */
  default GatunNDArray self() {
    return (GatunNDArray) this;
  }

  /** The kernels that compute. */
  default ArrayKernels kernels() {
    return ArrayKernels.host();
  }

  /** A number as an array without axes, the caller's to close. */
  default GatunNDArray number(Number number) {
    return (GatunNDArray) self().getManager().create(number);
  }

  /** Another engine's array as one of ours. */
  default GatunNDArray own(NDArray array) {
    return self().getManager().from(array);
  }

  /** An axis counted from 0. */
  default int axis(String op, int axis) {
    return Refusal.axis(op, axis, self().data().rank());
  }

  /**
   * What is made of each element; floating-point where the operation is not one of whole numbers.
   */
  default GatunNDArray unary(UnaryOp op) {
    Strided x = self().data();
    if (x.type() == DataType.BOOLEAN && (op == UnaryOp.NEG || op == UnaryOp.RELU)) {
      throw Refusal.wrong("%s: the array is of booleans, expected numbers", name(op));
    }
    if (x.type() == DataType.COMPLEX64) {
      throw Refusal.unsupported(name(op) + " of complex numbers");
    }
    Strided y = Strided.allocate(type(op, x.type()), x.shape());
    kernels().unary(op, x, y);
    return self().make(y);
  }

  /** What a function makes of each element, floating-point. */
  default GatunNDArray map(DoubleUnaryOperator function) {
    Strided x = self().data();
    Strided y = Strided.allocate(Types.floating(x.type()), x.shape());
    kernels().map(function, x, y);
    return self().make(y);
  }

  /** What is made of the elements of two arrays. */
  default GatunNDArray binary(BinaryOp op, NDArray other) {
    Strided a = self().data();
    Strided b = own(other).data();
    DataType common = common(op, a, b);
    String name = name(op);
    long[] shape = Strided.broadcast(name, a.shape(), b.shape());
    Strided y = Strided.allocate(type(op, common), shape);
    try {
      kernels().binary(op, common, a.expanded(name, shape), b.expanded(name, shape), y);
    } catch (RuntimeException | Error e) {
      y.store().release();
      throw e;
    }
    return self().make(y);
  }

  /** The same with a number. */
  default GatunNDArray binary(BinaryOp op, Number other) {
    try (GatunNDArray number = number(other)) {
      return binary(op, number);
    }
  }

  /** The same, written over this array. */
  default GatunNDArray inPlace(BinaryOp op, NDArray other) {
    Strided a = self().data();
    Strided b = own(other).data();
    DataType common = common(op, a, b);
    DataType type = type(op, common);
    if (!Types.canBecome(type, a.type())) {
      throw Refusal.wrong(
          "%s in place: the result is of %s, which the array of %s does not hold",
          name(op), type, a.type());
    }
    Strided y = Strided.allocate(type, a.shape());
    try {
      kernels().binary(op, common, a, b.expanded(name(op), a.shape()), y);
      kernels().copy(y, a);
    } finally {
      y.store().release();
    }
    return self();
  }

  /** The same with a number. */
  default GatunNDArray inPlace(BinaryOp op, Number other) {
    try (GatunNDArray number = number(other)) {
      return inPlace(op, number);
    }
  }

  private static DataType type(UnaryOp op, DataType type) {
    if (op.tells()) {
      return DataType.BOOLEAN;
    }
    return switch (op) {
      // PyTorch's multiply by a number of FLOAT64, or raise to a whole one.
      case CBRT, TO_DEGREES, TO_RADIANS -> Types.isWhole(type) ? DataType.FLOAT64 : type;
      case SQUARE -> type == DataType.BOOLEAN ? DataType.INT64 : type;
      default -> op.keepsWhole() ? type : Types.floating(type);
    };
  }

  private static String name(Enum<?> op) {
    return op.name().toLowerCase(java.util.Locale.ROOT);
  }

  private static DataType common(BinaryOp op, Strided a, Strided b) {
    DataType common = Types.result(a, b);
    if (op == BinaryOp.SUB && (a.type() == DataType.BOOLEAN || b.type() == DataType.BOOLEAN)) {
      throw Refusal.wrong("sub: an array is of booleans, expected numbers; see logicalXor");
    }
    if (common == DataType.COMPLEX64) {
      throw Refusal.unsupported(name(op) + " of complex numbers");
    }
    return common;
  }

  private static DataType type(BinaryOp op, DataType common) {
    return op.tells() ? DataType.BOOLEAN : op.keepsWhole() ? common : Types.floating(common);
  }
}
