package dev.gatun.kernels.formats;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Numbers of blocks in memory, little-endian. */
final class Bytes {
  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfShort I16 =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  private static final ValueLayout.OfInt I32 =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private Bytes() {}

  static int u8(MemorySegment in, long at) {
    return in.get(ValueLayout.JAVA_BYTE, at) & 0xff;
  }

  static int i8(MemorySegment in, long at) {
    return in.get(ValueLayout.JAVA_BYTE, at);
  }

  static void setU8(MemorySegment out, long at, int value) {
    out.set(ValueLayout.JAVA_BYTE, at, (byte) value);
  }

  static float f16(MemorySegment in, long at) {
    return Float.float16ToFloat(in.get(I16, at));
  }

  /** Writes a float as F16 and gives what it became. */
  static float setF16(MemorySegment out, long at, float value) {
    short half = Float.floatToFloat16(value);
    out.set(I16, at, half);
    return Float.float16ToFloat(half);
  }

  static float f32(MemorySegment in, long at) {
    return in.get(F32, at);
  }

  static void setF32(MemorySegment out, long at, float value) {
    out.set(F32, at, value);
  }

  static int i16(MemorySegment in, long at) {
    return in.get(I16, at);
  }

  static void setI16(MemorySegment out, long at, int value) {
    out.set(I16, at, (short) value);
  }

  static int i32(MemorySegment in, long at) {
    return in.get(I32, at);
  }

  static void setI32(MemorySegment out, long at, int value) {
    out.set(I32, at, value);
  }

  /** Writes codes of 0 to 15: byte i has code i below code {@code i + size / 2}. */
  static void setNibbles(MemorySegment out, long at, int[] codes, int size) {
    for (int i = 0; i < size / 2; i++) {
      setU8(out, at + i, codes[i] | codes[i + size / 2] << 4);
    }
  }

  /** Reads what {@link #setNibbles} writes, less an offset. */
  static void nibbles(MemorySegment in, long at, int[] codes, int size, int offset) {
    for (int i = 0; i < size / 2; i++) {
      int both = u8(in, at + i);
      codes[i] = (both & 15) - offset;
      codes[i + size / 2] = (both >> 4) - offset;
    }
  }
}
