package dev.gatun.djl.host;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Loops over FLOAT32 alone. Rows are copied to arrays and back: of loops over arrays the compiler
 * makes vectors, and what a row needs stays in the nearest cache. Numbers are those of the loops in
 * double: a sum, difference, product, quotient or root of floats that is rounded to double first is
 * the same float (Figueroa, "When is double rounding innocuous?", SIGNUM 1995).
 */
final class FloatLoops {
  private FloatLoops() {}

  static void read(MemorySegment m, long at, long step, float[] row, int count) {
    if (step == Float.BYTES) {
      MemorySegment.copy(m, JAVA_FLOAT_UNALIGNED, at, row, 0, count);
    } else if (step == 0) {
      Arrays.fill(row, 0, count, m.get(JAVA_FLOAT_UNALIGNED, at));
    } else {
      for (int i = 0; i < count; i++) {
        row[i] = m.get(JAVA_FLOAT_UNALIGNED, at + i * step);
      }
    }
  }

  static void write(MemorySegment m, long at, long step, float[] row, int count) {
    if (step == Float.BYTES) {
      MemorySegment.copy(row, 0, m, JAVA_FLOAT_UNALIGNED, at, count);
    } else {
      for (int i = 0; i < count; i++) {
        m.set(JAVA_FLOAT_UNALIGNED, at + i * step, row[i]);
      }
    }
  }

  /** y = op(x), both of FLOAT32. */
  static void unary(UnaryOp op, Strided x, Strided y) {
    Walk walk = Walk.of(y, x);
    walk.inParts(
        () -> {
          float[] row = new float[walk.width()];
          return (at, count) -> {
            read(x.store().segment(), at[1], walk.step(1), row, count);
            apply(op, row, count);
            write(y.store().segment(), at[0], walk.step(0), row, count);
          };
        });
  }

  /** y = op(a, b), all of FLOAT32, or y of BOOLEAN where the operation tells something. */
  static void binary(BinaryOp op, Strided a, Strided b, Strided y) {
    Walk walk = Walk.of(y, a, b);
    walk.inParts(
        () -> {
          float[] left = new float[walk.width()];
          float[] right = new float[walk.width()];
          byte[] told = op.tells() ? new byte[walk.width()] : null;
          return (at, count) -> {
            read(a.store().segment(), at[1], walk.step(1), left, count);
            read(b.store().segment(), at[2], walk.step(2), right, count);
            if (told == null) {
              apply(op, left, right, count);
              write(y.store().segment(), at[0], walk.step(0), left, count);
            } else {
              tell(op, left, right, told, count);
              write(y.store().segment(), at[0], walk.step(0), told, count);
            }
          };
        });
  }

  private static void write(MemorySegment m, long at, long step, byte[] row, int count) {
    if (step == 1) {
      MemorySegment.copy(row, 0, m, JAVA_BYTE, at, count);
    } else {
      for (int i = 0; i < count; i++) {
        m.set(JAVA_BYTE, at + i * step, row[i]);
      }
    }
  }

  /** y = condition ? a : b, of BOOLEAN and FLOAT32. */
  static void where(Strided condition, Strided a, Strided b, Strided y) {
    Walk walk = Walk.of(y, condition, a, b);
    walk.inParts(
        () -> {
          float[] left = new float[walk.width()];
          float[] right = new float[walk.width()];
          long[] chosen = new long[walk.width()];
          return (at, count) -> {
            condition.codec().read(condition.store().segment(), at[1], walk.step(1), chosen, count);
            read(a.store().segment(), at[2], walk.step(2), left, count);
            read(b.store().segment(), at[3], walk.step(3), right, count);
            for (int i = 0; i < count; i++) {
              left[i] = chosen[i] != 0 ? left[i] : right[i];
            }
            write(y.store().segment(), at[0], walk.step(0), left, count);
          };
        });
  }

  private static void apply(UnaryOp op, float[] x, int count) {
    switch (op) {
      case ABS -> {
        for (int i = 0; i < count; i++) {
          x[i] = Math.abs(x[i]);
        }
      }
      case NEG -> {
        for (int i = 0; i < count; i++) {
          x[i] = -x[i];
        }
      }
      case SQUARE -> {
        for (int i = 0; i < count; i++) {
          x[i] = x[i] * x[i];
        }
      }
      case SQRT -> {
        for (int i = 0; i < count; i++) {
          x[i] = (float) Math.sqrt(x[i]);
        }
      }
      case RELU -> {
        for (int i = 0; i < count; i++) {
          x[i] = x[i] < 0 ? 0 : x[i];
        }
      }
      case EXP -> {
        for (int i = 0; i < count; i++) {
          x[i] = (float) Math.exp(x[i]);
        }
      }
      case LOG -> {
        for (int i = 0; i < count; i++) {
          x[i] = (float) Math.log(x[i]);
        }
      }
      case SIN -> {
        for (int i = 0; i < count; i++) {
          x[i] = (float) Math.sin(x[i]);
        }
      }
      case COS -> {
        for (int i = 0; i < count; i++) {
          x[i] = (float) Math.cos(x[i]);
        }
      }
      default -> {
        var function = op.ofDoubles();
        for (int i = 0; i < count; i++) {
          x[i] = (float) function.applyAsDouble(x[i]);
        }
      }
    }
  }

  private static void apply(BinaryOp op, float[] a, float[] b, int count) {
    switch (op) {
      case ADD -> {
        for (int i = 0; i < count; i++) {
          a[i] = a[i] + b[i];
        }
      }
      case SUB -> {
        for (int i = 0; i < count; i++) {
          a[i] = a[i] - b[i];
        }
      }
      case MUL -> {
        for (int i = 0; i < count; i++) {
          a[i] = a[i] * b[i];
        }
      }
      case DIV -> {
        for (int i = 0; i < count; i++) {
          a[i] = a[i] / b[i];
        }
      }
      case MAXIMUM -> {
        for (int i = 0; i < count; i++) {
          a[i] = Math.max(a[i], b[i]);
        }
      }
      case MINIMUM -> {
        for (int i = 0; i < count; i++) {
          a[i] = Math.min(a[i], b[i]);
        }
      }
      default -> {
        var function = op.ofDoubles();
        for (int i = 0; i < count; i++) {
          a[i] = (float) function.applyAsDouble(a[i], b[i]);
        }
      }
    }
  }

  private static void tell(BinaryOp op, float[] a, float[] b, byte[] told, int count) {
    switch (op) {
      case EQ -> {
        for (int i = 0; i < count; i++) {
          told[i] = (byte) (a[i] == b[i] ? 1 : 0);
        }
      }
      case NEQ -> {
        for (int i = 0; i < count; i++) {
          told[i] = (byte) (a[i] != b[i] ? 1 : 0);
        }
      }
      case GT -> {
        for (int i = 0; i < count; i++) {
          told[i] = (byte) (a[i] > b[i] ? 1 : 0);
        }
      }
      case GTE -> {
        for (int i = 0; i < count; i++) {
          told[i] = (byte) (a[i] >= b[i] ? 1 : 0);
        }
      }
      case LT -> {
        for (int i = 0; i < count; i++) {
          told[i] = (byte) (a[i] < b[i] ? 1 : 0);
        }
      }
      case LTE -> {
        for (int i = 0; i < count; i++) {
          told[i] = (byte) (a[i] <= b[i] ? 1 : 0);
        }
      }
      default -> {
        var function = op.ofDoubles();
        for (int i = 0; i < count; i++) {
          told[i] = (byte) function.applyAsDouble(a[i], b[i]);
        }
      }
    }
  }
}
