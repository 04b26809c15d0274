package dev.gatun.kernels.formats;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A block of 256 elements as its bytes, and as codes of a byte with a scale a group. */
final class WidenedBlock {
  static final int SIZE = 256;

  final byte[] codes = new byte[SIZE];
  final float[] scales = new float[SIZE / 16];
  private final byte[] bytes;

  WidenedBlock(int size) {
    bytes = new byte[size];
  }

  void read(MemorySegment in, long at) {
    MemorySegment.copy(in, ValueLayout.JAVA_BYTE, at, bytes, 0, bytes.length);
  }

  int u8(int at) {
    return bytes[at] & 0xff;
  }

  int u16(int at) {
    return u8(at) | u8(at + 1) << 8;
  }

  int u32(int at) {
    return u16(at) | u16(at + 2) << 16;
  }

  float f16(int at) {
    return Float.float16ToFloat((short) u16(at));
  }

  /**
   * Copies a point of a grid.
   *
   * @param at the first element
   * @param count the point's elements
   * @param signs a bit an element, which is negative where it is set
   */
  void point(int at, byte[] grid, int point, int count, int signs) {
    for (int i = 0; i < count; i++) {
      byte value = grid[point * count + i];
      codes[at + i] = (signs >> i & 1) == 0 ? value : (byte) -value;
    }
  }

  /** Copies a point of eight elements, with a number added to each. */
  void shifted(int at, byte[] grid, int point, int added) {
    for (int i = 0; i < 8; i++) {
      codes[at + i] = (byte) (grid[point * 8 + i] + added);
    }
  }
}
