package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import dev.gatun.djl.host.ArrayKernels;
import dev.gatun.djl.host.BinaryOp;
import dev.gatun.djl.host.Refusal;
import dev.gatun.djl.host.Strided;
import dev.gatun.djl.host.Types;
import dev.gatun.djl.host.UnaryOp;
import java.util.function.DoubleBinaryOperator;
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

  /** Refuses complex numbers, which have no order and no such operation. */
  default void requireReal(String op) {
    if (getDataType() == DataType.COMPLEX64) {
      throw Refusal.unsupported(op + " of complex numbers");
    }
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
      Tape.refuse(name(op) + " of complex numbers", self());
      if (!kernels().hasComplex(op)) {
        throw Refusal.unsupported(name(op) + " of complex numbers");
      }
    }
    DataType type = x.rank() == 0 ? ofNumber(op, x.type()) : type(op, x.type());
    Strided y = Strided.allocate(type, x.shape());
    if (type == DataType.FLOAT32 && Types.tellsMore(x.type(), type)) {
      // Rounded first, as PyTorch does.
      kernels().copy(x, y);
      kernels().unary(op, y, y);
    } else {
      kernels().unary(op, x, y);
    }
    GatunNDArray made = self().make(y);
    return Tape.follows(self()) ? ElementGradients.recorded(op, made, self()) : made;
  }

  /**
   * What a function makes of each element, floating-point.
   *
   * @param op for messages
   * @param derivative the gradient of an element by it and the gradient of what becomes of it
   */
  default GatunNDArray map(
      String op, DoubleUnaryOperator function, DoubleBinaryOperator derivative) {
    Strided x = self().data();
    Strided y = Strided.allocate(Types.floating(x.type()), x.shape());
    kernels().map(function, x, y);
    return ElementGradients.recorded(op, derivative, self().make(y), self());
  }

  /** What is made of the elements of two arrays. */
  default GatunNDArray binary(BinaryOp op, NDArray other) {
    GatunNDArray right = own(other);
    GatunNDArray y = self().make(made(op, self().data(), right.data()));
    return Tape.follows(self(), right) ? ElementGradients.recorded(op, y, self(), right) : y;
  }

  private Strided made(BinaryOp op, Strided a, Strided b) {
    DataType common = common(op, a, b);
    boolean same = a.isShapedAs(b);
    long[] shape = same ? a.shape() : Strided.broadcast(name(op), a.shape(), b.shape());
    Strided y = Strided.allocate(type(op, common), shape);
    try {
      compute(op, common, same ? a : a.expanded("", shape), same ? b : b.expanded("", shape), y);
      return y;
    } catch (RuntimeException | Error e) {
      y.store().release();
      throw e;
    }
  }

  /** y = op(a, b) of elements that are first of the common type where others would tell more. */
  private void compute(BinaryOp op, DataType common, Strided a, Strided b, Strided y) {
    boolean asTheyAre = Types.isWhole(common) && !op.keepsWhole();
    Strided left = asTheyAre ? a : read(common, a);
    Strided right = asTheyAre || isFactor(op, common, b) ? b : read(common, b);
    try {
      kernels().binary(op, common, left, right, y);
    } finally {
      for (Strided made : new Strided[] {left, right}) {
        if (made != a && made != b) {
          made.store().release();
        }
      }
    }
  }

  /** Whether b is one number that PyTorch multiplies 16 bits by, or divides them by, as it is. */
  private static boolean isFactor(BinaryOp op, DataType common, Strided b) {
    return (op == BinaryOp.MUL || op == BinaryOp.DIV)
        && Types.isHalf(common)
        && b.distinct().count() == 1;
  }

  private Strided read(DataType common, Strided x) {
    if (!Types.tellsMore(x.type(), common)) {
      return x;
    }
    Strided once = x.distinct();
    Strided made = Strided.allocate(common, once.shape());
    kernels().copy(once, made);
    return made.expanded("", x.shape());
  }

  /** The same with a number. */
  default GatunNDArray binary(BinaryOp op, Number other) {
    if (Tape.follows(self())) {
      try (GatunNDArray number = number(other)) {
        return binary(op, number);
      }
    }
    Strided number = scalar(other);
    try {
      return self().make(made(op, self().data(), number));
    } finally {
      number.store().release();
    }
  }

  /** A number without axes; of this array's type where it would be taken for one. */
  private Strided scalar(Number number) {
    Strided x = self().data();
    boolean whole = number instanceof Integer || number instanceof Long || number instanceof Byte;
    if (whole && x.rank() > 0 && Types.holds(x.type(), number.longValue())) {
      return Strided.scalar(x.type(), number);
    }
    boolean narrow =
        x.type() == DataType.FLOAT32
            && (number instanceof Integer || number instanceof Double && x.rank() > 0);
    return Strided.scalar(narrow ? (Number) number.floatValue() : number);
  }

  /** The same, written over this array. */
  default GatunNDArray inPlace(BinaryOp op, NDArray other) {
    requireOwnElements(name(op));
    if (Tape.follows(self(), own(other))) {
      requireRoom(op, own(other).data());
      return recordedInPlace(op, other);
    }
    return inPlace(op, own(other).data());
  }

  /** Refuses an array of which one place is several elements: as many results would be one. */
  private void requireOwnElements(String op) {
    if (self().data().hasSharedElements()) {
      throw Refusal.wrong(
          "%s in place: the array was broadcast to %s, so that elements share their memory;"
              + " duplicate() gives each its own",
          op, self().getShape());
    }
  }

  private void requireRoom(BinaryOp op, Strided b) {
    Strided a = self().data();
    DataType type = type(op, common(op, a, b));
    if (!Types.canBecome(type, a.type())) {
      throw Refusal.wrong(
          "%s in place: the result is of %s, which the array of %s does not hold",
          name(op), type, a.type());
    }
  }

  private GatunNDArray inPlace(BinaryOp op, Strided b) {
    requireRoom(op, b);
    Strided a = self().data();
    DataType common = common(op, a, b);
    Strided right = a.isShapedAs(b) ? b : b.expanded(name(op), a.shape());
    if (b.store() != a.store()
        && type(op, common) == a.type()
        && (a.type().isFloating() || op != BinaryOp.MOD)
        && a.isContiguous()) {
      // No element is read after it was written, and none is refused.
      Tape.writes(name(op), self());
      compute(op, common, a, right, a);
      return self();
    }
    Strided y = Strided.allocate(type(op, common), a.shape());
    try {
      compute(op, common, a, right, y);
      Tape.writes(name(op), self());
      kernels().copy(y, a);
    } finally {
      y.store().release();
    }
    return self();
  }

  /** The same for gradients, which need what was there before. */
  private GatunNDArray recordedInPlace(BinaryOp op, NDArray other) {
    Tape.writes(name(op), self());
    try (GatunNDArray before = self().duplicate();
        GatunNDArray result = before.binary(op, other)) {
      return self().overwritten(name(op), result);
    }
  }

  /** This array with another one's elements. */
  default GatunNDArray overwritten(String op, GatunNDArray value) {
    requireOwnElements(op);
    Strided x = self().data();
    Tape.writes(op, self());
    kernels().copy(value.data().expanded(op, x.shape()), x);
    Tape.wrote(op, self(), x, value);
    return self();
  }

  /** The same with a number. */
  default GatunNDArray inPlace(BinaryOp op, Number other) {
    requireOwnElements(name(op));
    if (Tape.follows(self())) {
      try (GatunNDArray number = number(other)) {
        return inPlace(op, number);
      }
    }
    Strided number = scalar(other);
    try {
      return inPlace(op, number);
    } finally {
      number.store().release();
    }
  }

  /** The type of what becomes of an array without axes. */
  private static DataType ofNumber(UnaryOp op, DataType type) {
    return switch (op) {
      // PyTorch computes them with numbers of FLOAT64, which count as much as this one.
      case CBRT, TO_DEGREES, TO_RADIANS -> DataType.FLOAT64;
      default -> type(op, type);
    };
  }

  private static DataType type(UnaryOp op, DataType type) {
    if (op.tells()) {
      return DataType.BOOLEAN;
    }
    return switch (op) {
      // PyTorch's multiply by a number of FLOAT64, or raise to a whole one.
      case CBRT, TO_DEGREES, TO_RADIANS -> Types.isWhole(type) ? DataType.FLOAT64 : type;
      case SQUARE -> type == DataType.BOOLEAN ? DataType.INT64 : type;
      case ABS -> type == DataType.COMPLEX64 ? DataType.FLOAT32 : type;
      default -> op.keepsWhole() ? type : Types.floating(type);
    };
  }

  private static String name(Enum<?> op) {
    return op.name().toLowerCase(java.util.Locale.ROOT);
  }

  private DataType common(BinaryOp op, Strided a, Strided b) {
    DataType common = Types.result(a, b);
    if (op == BinaryOp.SUB && (a.type() == DataType.BOOLEAN || b.type() == DataType.BOOLEAN)) {
      throw Refusal.wrong("sub: an array is of booleans, expected numbers; see logicalXor");
    }
    if (common == DataType.COMPLEX64) {
      Tape.refuse(name(op) + " of complex numbers", self());
      if (!kernels().hasComplex(op)) {
        throw Refusal.unsupported(name(op) + " of complex numbers");
      }
    }
    return common;
  }

  private static DataType type(BinaryOp op, DataType common) {
    return op.tells() ? DataType.BOOLEAN : op.keepsWhole() ? common : Types.floating(common);
  }
}
