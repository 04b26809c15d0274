package dev.gatun.kernels.formats;

import java.lang.foreign.MemorySegment;

/**
 * GGML's Q4_K and Q5_K: 256 elements in eight sub-blocks of 32. F16 scale of the scales and of the
 * minima, 6 bits for each scale and minimum, for five bits the fifth ones, then the low four.
 */
final class SuperBlockCodec implements BlockCodec {
  private static final int SIZE = SuperBlockSearch.SIZE;
  private static final int SUB = 32;
  private static final int SUBS = SIZE / SUB;
  private static final int MOST = 63;

  private final int bits;

  SuperBlockCodec(int bits) {
    this.bits = bits;
  }

  @Override
  public void encode(float[] x, int size, MemorySegment out, long at) {
    encode(x, Rounding.ones(size), size, out, at);
  }

  @Override
  public void encode(float[] x, float[] weights, int size, MemorySegment out, long at) {
    SuperBlockSearch best =
        SuperBlockSearch.best(x, weights, new SuperBlockSearch.Form(SUB, MOST, (1 << bits) - 1));
    Bytes.setF16(out, at, best.scale());
    Bytes.setF16(out, at + 2, best.min());
    writeSixBits(out, at + 4, best.chosen());
    writeCodes(out, at + 16, best.codes());
  }

  private static void writeSixBits(MemorySegment out, long at, int[] six) {
    for (int j = 0; j < 4; j++) {
      Bytes.setU8(out, at + j, six[j] | six[4 + j] >> 4 << 6);
      Bytes.setU8(out, at + 4 + j, six[SUBS + j] | six[SUBS + 4 + j] >> 4 << 6);
      Bytes.setU8(out, at + 8 + j, six[4 + j] & 15 | (six[SUBS + 4 + j] & 15) << 4);
    }
  }

  private void writeCodes(MemorySegment out, long at, int[] codes) {
    long low = bits == 5 ? at + SUB : at;
    for (int i = 0; bits == 5 && i < SUB; i++) {
      int fifth = 0;
      for (int s = 0; s < SUBS; s++) {
        fifth |= codes[s * SUB + i] >> 4 << s;
      }
      Bytes.setU8(out, at + i, fifth);
    }
    for (int pair = 0; pair < SUBS / 2; pair++) {
      for (int i = 0; i < SUB; i++) {
        int first = codes[2 * pair * SUB + i] & 15;
        int second = codes[(2 * pair + 1) * SUB + i] & 15;
        Bytes.setU8(out, low + pair * SUB + i, first | second << 4);
      }
    }
  }

  @Override
  public void decode(MemorySegment in, long at, Block block) {
    block.scale = Bytes.f16(in, at);
    block.min = Bytes.f16(in, at + 2);
    block.setGroup(SUB);
    for (int j = 0; j < 4; j++) {
      int a = Bytes.u8(in, at + 4 + j);
      int b = Bytes.u8(in, at + 8 + j);
      int c = Bytes.u8(in, at + 12 + j);
      block.setShared(j, a & MOST, b & MOST);
      block.setShared(4 + j, c & 15 | a >> 6 << 4, c >> 4 | b >> 6 << 4);
    }
    long low = bits == 5 ? at + 16 + SUB : at + 16;
    for (int s = 0; s < SUBS; s++) {
      for (int i = 0; i < SUB; i++) {
        int code = Bytes.u8(in, low + s / 2 * SUB + i) >> 4 * (s % 2) & 15;
        int fifth = bits == 5 ? Bytes.u8(in, at + 16 + i) >> s & 1 : 0;
        block.codes[s * SUB + i] = code | fifth << 4;
      }
    }
  }
}
