package dev.gatun.kernels.formats;

import java.lang.foreign.MemorySegment;

/** Codes of four or five bits: the fifth bits of 32 elements in one word ahead of the low four. */
final class FifthBits {
  private FifthBits() {}

  static void write(MemorySegment out, long at, int[] codes, int size, int bits) {
    if (bits == 4) {
      Bytes.setNibbles(out, at, codes, size);
      return;
    }
    int fifth = 0;
    int[] low = new int[size];
    for (int i = 0; i < size; i++) {
      fifth |= (codes[i] >> 4) << i;
      low[i] = codes[i] & 15;
    }
    Bytes.setI32(out, at, fifth);
    Bytes.setNibbles(out, at + 4, low, size);
  }

  static void read(MemorySegment in, long at, int[] codes, int size, int bits, int offset) {
    if (bits == 4) {
      Bytes.nibbles(in, at, codes, size, offset);
      return;
    }
    int fifth = Bytes.i32(in, at);
    Bytes.nibbles(in, at + 4, codes, size, offset);
    for (int i = 0; i < size; i++) {
      codes[i] += (fifth >> i & 1) << 4;
    }
  }
}
