package dev.gatun.weights;

import dev.gatun.kernels.api.memory.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.stream.LongStream;

/** Numbers of a file as F32, for the few that kernels do not read as they are. */
final class Numbers {
  /** Elements that one thread takes at a time. */
  private static final long PART = 1 << 16;

  private Numbers() {}

  /**
   * Writes numbers as F32; F64 is rounded.
   *
   * @param room at least four bytes an element
   * @return the part of the room that was written
   */
  static MemorySegment widen(MemorySegment numbers, DType dtype, MemorySegment room) {
    long count = numbers.byteSize() / dtype.bytes();
    MemorySegment to = room.asSlice(0, count * Float.BYTES);
    LongStream.range(0, Math.ceilDiv(count, PART))
        .parallel()
        .forEach(
            part -> {
              long end = Math.min(count, (part + 1) * PART);
              for (long i = part * PART; i < end; i++) {
                to.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i, at(numbers, dtype, i));
              }
            });
    return to;
  }

  /** Element i as a float. */
  static float at(MemorySegment numbers, DType dtype, long i) {
    return switch (dtype) {
      case F32 -> numbers.getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
      case F64 -> (float) numbers.getAtIndex(ValueLayout.JAVA_DOUBLE_UNALIGNED, i);
      case F16 -> Float.float16ToFloat(numbers.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i));
      case BF16 ->
          Float.intBitsToFloat(numbers.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, i) << 16);
      default -> throw new IllegalArgumentException(dtype + " is no floating-point type");
    };
  }

  /** Whether a type is one of floating-point numbers. */
  static boolean isFloat(DType dtype) {
    return dtype == DType.F32 || dtype == DType.F64 || dtype == DType.F16 || dtype == DType.BF16;
  }
}
