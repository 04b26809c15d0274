package dev.gatun.bench.gpu;

import dev.gatun.kernels.api.memory.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.EnumMap;
import java.util.Map;
import java.util.Random;

/**
 * Seeded normal numbers that operands are filled with, again and again. There are a prime number of
 * them, so that no two rows of an operand are alike and a row taken for another is noticed.
 */
final class Numbers {
  static final int COUNT = 1048573;

  private static final Map<DType, Numbers> OF = new EnumMap<>(DType.class);

  private final float[] values = new float[COUNT];
  private final MemorySegment bits;

  private Numbers(DType dtype) {
    bits = Arena.global().allocate((long) COUNT * dtype.bytes(), 64);
    Random random = new Random(20261125);
    for (int i = 0; i < COUNT; i++) {
      float number = (float) random.nextGaussian();
      switch (dtype) {
        case F32 -> {
          values[i] = number;
          bits.setAtIndex(ValueLayout.JAVA_FLOAT, i, number);
        }
        case BF16 -> {
          int cut = Float.floatToRawIntBits(number) >>> 16;
          values[i] = Float.intBitsToFloat(cut << 16);
          bits.setAtIndex(ValueLayout.JAVA_SHORT, i, (short) cut);
        }
        case F16 -> {
          short half = Float.floatToFloat16(number);
          values[i] = Float.float16ToFloat(half);
          bits.setAtIndex(ValueLayout.JAVA_SHORT, i, half);
        }
        default -> throw new IllegalArgumentException(dtype + " operands are not filled");
      }
    }
  }

  /** The numbers, rounded to a dtype. */
  static synchronized Numbers of(DType dtype) {
    return OF.computeIfAbsent(dtype, Numbers::new);
  }

  /** The number at a place, which may be beyond the last. */
  double at(long place) {
    return values[(int) (place % COUNT)];
  }

  /** All of them, as they lie in memory. */
  MemorySegment bits() {
    return bits;
  }

  /** The distance from 1 to the next larger number of a dtype. */
  static double epsilon(DType dtype) {
    return switch (dtype) {
      case BF16 -> 0x1p-7;
      case F16 -> 0x1p-10;
      default -> 0x1p-23;
    };
  }

  static double value(DType dtype, MemorySegment bits, long index) {
    return switch (dtype) {
      case F32 -> bits.getAtIndex(ValueLayout.JAVA_FLOAT, index);
      case BF16 -> Float.intBitsToFloat(bits.getAtIndex(ValueLayout.JAVA_SHORT, index) << 16);
      case F16 -> Float.float16ToFloat(bits.getAtIndex(ValueLayout.JAVA_SHORT, index));
      case I8 -> bits.get(ValueLayout.JAVA_BYTE, index);
      default -> throw new IllegalArgumentException(dtype + " results are not read");
    };
  }
}
