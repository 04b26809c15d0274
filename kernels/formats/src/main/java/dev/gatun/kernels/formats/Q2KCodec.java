package dev.gatun.kernels.formats;

import java.lang.foreign.MemorySegment;

/**
 * GGML's Q2_K: 256 elements in sixteen sub-blocks of 16. A byte a sub-block with four bits for its
 * scale and four for its minimum, the codes, and the F16 scales of the scales and of the minima.
 */
final class Q2KCodec implements BlockCodec {
  private static final int SIZE = SuperBlockSearch.SIZE;
  private static final int SUB = 16;
  private static final int SUBS = SIZE / SUB;
  private static final SuperBlockSearch.Form FORM = new SuperBlockSearch.Form(SUB, 15, 3);
  private static final int CODES = 16;
  private static final int SCALE = 80;
  private static final int MIN = 82;

  @Override
  public void encode(float[] x, int size, MemorySegment out, long at) {
    encode(x, Rounding.ones(size), size, out, at);
  }

  @Override
  public void encode(float[] x, float[] weights, int size, MemorySegment out, long at) {
    SuperBlockSearch best = SuperBlockSearch.best(x, weights, FORM);
    Bytes.setF16(out, at + SCALE, best.scale());
    Bytes.setF16(out, at + MIN, best.min());
    for (int s = 0; s < SUBS; s++) {
      Bytes.setU8(out, at + s, best.chosen()[s] | best.chosen()[SUBS + s] << 4);
    }
    out.asSlice(at + CODES, SIZE / 4).fill((byte) 0);
    for (int i = 0; i < SIZE; i++) {
      long place = at + CODES + Quarters.place(i);
      Bytes.setU8(out, place, Bytes.u8(out, place) | best.codes()[i] << Quarters.shift(i));
    }
  }

  @Override
  public void decode(MemorySegment in, long at, Block block) {
    block.scale = Bytes.f16(in, at + SCALE);
    block.min = Bytes.f16(in, at + MIN);
    block.setGroup(SUB);
    for (int s = 0; s < SUBS; s++) {
      int both = Bytes.u8(in, at + s);
      block.setShared(s, both & 15, both >> 4);
    }
    for (int i = 0; i < SIZE; i++) {
      block.codes[i] = Bytes.u8(in, at + CODES + Quarters.place(i)) >> Quarters.shift(i) & 3;
    }
  }
}
