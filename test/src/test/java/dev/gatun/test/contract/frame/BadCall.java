package dev.gatun.test.contract.frame;

import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.kernels.api.memory.Operand;
import java.util.function.Supplier;

/**
 * A call with a bad argument, or a part of one, which is refused when it is made: before any native
 * call.
 *
 * @param message what the exception's message contains; it begins with the kernel's name where it
 *     is the kernel that refuses
 * @param making makes it
 */
public record BadCall(String message, Supplier<?> making) {
  /** Blocks of 64 KB for operands that nothing is computed of. */
  public static final Buffer IN = Subjects.EXACT.memory().allocate(1 << 16);

  public static final Buffer OUT = Subjects.EXACT.memory().allocate(1 << 16);

  /** A block of which no byte is there, for operands of sizes that are refused. */
  public static final Buffer VAST =
      new Buffer(Long.MAX_VALUE) {
        @Override
        public Memory memory() {
          return IN.memory();
        }

        @Override
        protected void free() {}
      };

  /** F32[4, 8] at the begin of {@link #IN}. */
  public static final Operand X = of(IN, 4, 8);

  /** F32[4, 8] at the begin of {@link #OUT}. */
  public static final Operand Y = of(OUT, 4, 8);

  public static BadCall bad(String message, Supplier<?> making) {
    return new BadCall(message, making);
  }

  /**
   * Makes it.
   *
   * @throws AssertionError where it is not refused, or the message says something else
   */
  public void check() {
    String got;
    try {
      got = "nothing was refused: " + making.get();
    } catch (IllegalArgumentException e) {
      got = e.getMessage();
    }
    if (!got.contains(message)) {
      throw new AssertionError(got + "\nshould contain: " + message);
    }
  }

  @Override
  public String toString() {
    return message;
  }

  /** F32 at the begin of a block. */
  public static Operand of(Buffer buffer, long... shape) {
    return Operand.of(buffer, DType.F32, shape);
  }

  /** F32 from an element on. */
  public static Operand at(Buffer buffer, long offset, long... shape) {
    return at(buffer, offset, DType.F32, shape);
  }

  public static Operand at(Buffer buffer, long offset, DType dtype, long... shape) {
    return new Operand(buffer, offset, dtype, shape, Operand.rowMajor(shape));
  }

  /** I64 from the middle of {@link #IN} on. */
  public static Operand numbers(long count) {
    return at(IN, 1 << 12, DType.I64, count);
  }

  /** I32 from the middle of {@link #IN} on. */
  public static Operand ints(long count) {
    return at(IN, 1 << 13, DType.I32, count);
  }

  public static Indices ids(long count) {
    return Indices.unchecked(numbers(count));
  }
}
