package dev.gatun.bench.generation;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Rows of random numbers that bf16 and GGML's blocks of 4 and of 8 bits all hold as they are: in
 * each 32 a scale of four bits times whole numbers of -8 to 7, of which one is -8. So the files of
 * all types are of the same model.
 */
final class RandomRows {
  /** How a file has the numbers. */
  enum Type {
    BF16(30, 32, 64),
    Q4_0(2, 32, 18),
    Q8_0(8, 32, 34);

    /** GGML's number of the type. */
    final int ggml;

    private final int block;
    private final int bytes;

    Type(int ggml, int block, int bytes) {
      this.ggml = ggml;
      this.block = block;
      this.bytes = bytes;
    }

    long bytes(long elements) {
      return elements / block * bytes;
    }
  }

  private static final int BLOCK = 32;
  private static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final int columns;
  private final float base;
  private final long seed;

  /** Of a weight, by its name, with a deviation of about {@code 1 / sqrt(columns)}. */
  RandomRows(String name, int columns) {
    this.columns = columns;
    this.seed = mixed(name.hashCode());
    this.base =
        (float)
            Math.scalb(
                1.0, (int) Math.round(Math.log(1 / (6.5 * Math.sqrt(columns))) / Math.log(2)));
  }

  /** Writes a row. */
  void write(long row, Type type, MemorySegment to, long at) {
    long place = at;
    int[] codes = new int[BLOCK];
    for (int block = 0; block < columns / BLOCK; block++) {
      long state = mixed(seed + row * columns + block);
      float scale = base * (1 + (state >>> 8 & 7) / 8f) * ((state & 1) == 0 ? 1 : -1);
      int lowest = (int) (state >>> 3 & 31);
      long bits = mixed(state);
      for (int i = 0; i < BLOCK; i++) {
        if (i == BLOCK / 2) {
          bits = mixed(state + 1);
        }
        codes[i] = i == lowest ? -8 : (int) (bits & 15) - 8;
        bits >>>= 4;
      }
      write(type, scale, codes, to, place);
      place += type.bytes(BLOCK);
    }
  }

  private static void write(Type type, float scale, int[] codes, MemorySegment to, long at) {
    switch (type) {
      case BF16 -> {
        for (int i = 0; i < BLOCK; i++) {
          to.set(SHORT, at + 2L * i, (short) (Float.floatToRawIntBits(scale * codes[i]) >>> 16));
        }
      }
      case Q4_0 -> {
        to.set(SHORT, at, Float.floatToFloat16(scale));
        for (int i = 0; i < BLOCK / 2; i++) {
          int pair = codes[i] + 8 | codes[i + BLOCK / 2] + 8 << 4;
          to.set(ValueLayout.JAVA_BYTE, at + 2 + i, (byte) pair);
        }
      }
      case Q8_0 -> {
        to.set(SHORT, at, Float.floatToFloat16(scale / 8));
        for (int i = 0; i < BLOCK; i++) {
          to.set(ValueLayout.JAVA_BYTE, at + 2 + i, (byte) (8 * codes[i]));
        }
      }
    }
  }

  /** SplitMix64's output function. */
  private static long mixed(long x) {
    long z = (x + 1) * 0x9e3779b97f4a7c15L;
    z = (z ^ z >>> 30) * 0xbf58476d1ce4e5b9L;
    z = (z ^ z >>> 27) * 0x94d049bb133111ebL;
    return z ^ z >>> 31;
  }
}
