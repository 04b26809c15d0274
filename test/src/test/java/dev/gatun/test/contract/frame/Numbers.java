package dev.gatun.test.contract.frame;

import dev.gatun.kernels.api.memory.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Numbers as they lie in memory. */
public final class Numbers {
  private Numbers() {}

  /** The nearest number of a dtype, ties to even. */
  public static double round(double x, DType dtype) {
    return switch (dtype) {
      case F32 -> (float) x;
      case F16 -> Float.float16ToFloat(Float.floatToFloat16((float) x));
      case BF16 -> fromBf16(toBf16((float) x));
      default -> x;
    };
  }

  /** The number that bits of a dtype mean. */
  public static float value(int bits, DType dtype) {
    return switch (dtype) {
      case F32 -> Float.intBitsToFloat(bits);
      case F16 -> Float.float16ToFloat((short) bits);
      case BF16 -> fromBf16((short) bits);
      default -> bits;
    };
  }

  /** The bits of a number; of a long its value, or of one that is no int a hash of it. */
  public static int bits(MemorySegment memory, long at, DType dtype) {
    return switch (dtype.bytes()) {
      case 1 -> memory.get(ValueLayout.JAVA_BYTE, at);
      case 2 -> memory.get(ValueLayout.JAVA_SHORT_UNALIGNED, at);
      case 4 -> memory.get(ValueLayout.JAVA_INT_UNALIGNED, at);
      case 8 -> {
        long value = memory.get(ValueLayout.JAVA_LONG_UNALIGNED, at);
        yield value == (int) value ? (int) value : Long.hashCode(value * 0x9e3779b97f4a7c15L);
      }
      default -> throw new IllegalArgumentException(dtype.toString());
    };
  }

  /** The bits of a number in a floating-point type. */
  public static int bits(double value, DType dtype) {
    return switch (dtype) {
      case F32 -> Float.floatToRawIntBits((float) value);
      case F16 -> Float.floatToFloat16((float) value);
      case BF16 -> toBf16((float) value);
      default -> throw new IllegalArgumentException(dtype.toString());
    };
  }

  public static void write(MemorySegment memory, long at, DType dtype, double value) {
    switch (dtype) {
      case F32 -> memory.set(ValueLayout.JAVA_FLOAT_UNALIGNED, at, (float) value);
      case F16 ->
          memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, Float.floatToFloat16((float) value));
      case BF16 -> memory.set(ValueLayout.JAVA_SHORT_UNALIGNED, at, toBf16((float) value));
      case I64 -> memory.set(ValueLayout.JAVA_LONG_UNALIGNED, at, (long) value);
      case I32 -> memory.set(ValueLayout.JAVA_INT_UNALIGNED, at, (int) value);
      case I8, U8, BOOL -> memory.set(ValueLayout.JAVA_BYTE, at, (byte) value);
      default -> throw new IllegalArgumentException(dtype.toString());
    }
  }

  private static float fromBf16(short bits) {
    return Float.intBitsToFloat(bits << 16);
  }

  /** By the neighbours of a number, so that it shares nothing with the code under test. */
  private static short toBf16(float x) {
    int down = Float.floatToRawIntBits(x) & 0xffff0000;
    if (Float.isNaN(x)) {
      return (short) ((down | 0x400000) >>> 16);
    }
    if (Float.isInfinite(x)) {
      return (short) (down >>> 16);
    }
    int up = down + 0x10000;
    double below = Math.abs((double) x - Float.intBitsToFloat(down));
    double above = Math.abs(beyond(up) - x);
    boolean even = (down & 0x10000) == 0;
    return (short) ((below < above || (below == above && even) ? down : up) >>> 16);
  }

  /** The number that bits mean, and 2^128 in the place of infinity. */
  private static double beyond(int bits) {
    float x = Float.intBitsToFloat(bits);
    return Float.isInfinite(x) ? Math.copySign(0x1p128, x) : x;
  }
}
