package dev.gatun.djl.host;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;

/** Loops over complex numbers, computed in double and rounded once. */
final class ComplexLoops {
  private ComplexLoops() {}

  /** Whether there is such an operation of complex numbers. */
  static boolean has(BinaryOp op) {
    return switch (op) {
      case ADD, SUB, MUL, DIV, EQ, NEQ -> true;
      default -> false;
    };
  }

  static boolean has(UnaryOp op) {
    return switch (op) {
      case NEG, SQUARE, ABS -> true;
      default -> false;
    };
  }

  private static double imaginary(Codec codec, MemorySegment m, long at) {
    return codec == Codec.COMPLEX64 ? m.get(JAVA_FLOAT_UNALIGNED, at + Float.BYTES) : 0;
  }

  private static void put(MemorySegment m, long at, double real, double imaginary) {
    m.set(JAVA_FLOAT_UNALIGNED, at, (float) real);
    m.set(JAVA_FLOAT_UNALIGNED, at + Float.BYTES, (float) imaginary);
  }

  /** y = op(x), of COMPLEX64; of an absolute value the result is FLOAT32. */
  static void unary(UnaryOp op, Strided x, Strided y) {
    Walk walk = Walk.of(y, x);
    MemorySegment from = x.store().segment();
    MemorySegment to = y.store().segment();
    walk.inParts(
        () ->
            (at, count) -> {
              for (int i = 0; i < count; i++) {
                long source = at[1] + i * walk.step(1);
                long target = at[0] + i * walk.step(0);
                double a = from.get(JAVA_FLOAT_UNALIGNED, source);
                double b = imaginary(Codec.COMPLEX64, from, source);
                switch (op) {
                  case NEG -> put(to, target, -a, -b);
                  case SQUARE -> put(to, target, a * a - b * b, 2 * a * b);
                  default -> to.set(JAVA_FLOAT_UNALIGNED, target, (float) Math.hypot(a, b));
                }
              }
            });
  }

  /** y = op(a, b), of COMPLEX64 and types that go into it; y is BOOLEAN of comparisons. */
  static void binary(BinaryOp op, Strided a, Strided b, Strided y) {
    Walk walk = Walk.of(y, a, b);
    MemorySegment left = a.store().segment();
    MemorySegment right = b.store().segment();
    MemorySegment to = y.store().segment();
    walk.inParts(
        () ->
            (at, count) -> {
              for (int i = 0; i < count; i++) {
                long atA = at[1] + i * walk.step(1);
                long atB = at[2] + i * walk.step(2);
                long target = at[0] + i * walk.step(0);
                double p = a.codec().toDouble(left, atA);
                double q = imaginary(a.codec(), left, atA);
                double r = b.codec().toDouble(right, atB);
                double s = imaginary(b.codec(), right, atB);
                switch (op) {
                  case ADD -> put(to, target, p + r, q + s);
                  case SUB -> put(to, target, p - r, q - s);
                  case MUL -> put(to, target, p * r - q * s, p * s + q * r);
                  case DIV -> {
                    double square = r * r + s * s;
                    put(to, target, (p * r + q * s) / square, (q * r - p * s) / square);
                  }
                  case EQ -> y.codec().put(to, target, p == r && q == s ? 1L : 0L);
                  default -> y.codec().put(to, target, p == r && q == s ? 0L : 1L);
                }
              }
            });
  }
}
