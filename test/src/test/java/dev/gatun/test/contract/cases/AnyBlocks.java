package dev.gatun.test.contract.cases;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.test.contract.frame.Seeds;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/** Blocks of quantised weights of random bytes, but for scales and zero points that none has. */
final class AnyBlocks {
  private static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED;
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;
  private static final int F16_EXPONENT = 0x7c00;

  private AnyBlocks() {}

  /**
   * Rows [n, k] in blocks.
   *
   * @param infinite whether scales may be no finite numbers, which packing refuses
   */
  static byte[] of(long seed, BlockFormat format, int n, int k, boolean infinite) {
    Random random = Seeds.random(seed);
    byte[] blocks = new byte[(int) (n * format.rowBytes(k))];
    random.nextBytes(blocks);
    MemorySegment memory = MemorySegment.ofArray(blocks);
    int bytes = format.blockBytes(k);
    for (long at = 0; at < blocks.length; at += bytes) {
      switch (format.kind()) {
        case INT8 -> wide(random, memory, at);
        case INT8_ZERO -> {
          wide(random, memory, at);
          memory.set(SHORT, at + 4, (short) random.nextInt(257));
        }
        case INT4_ZERO -> {
          narrow(random, memory, at, infinite);
          blocks[(int) at + 2] = (byte) random.nextInt(17);
        }
        case Q4_1, Q5_1, Q4_K, Q5_K -> {
          narrow(random, memory, at, infinite);
          narrow(random, memory, at + 2, infinite);
        }
        case Q6_K -> narrow(random, memory, at + 208, infinite);
        case Q2_K -> {
          narrow(random, memory, at + 80, infinite);
          narrow(random, memory, at + 82, infinite);
        }
        case Q3_K -> narrow(random, memory, at + 108, infinite);
        case MXFP4 -> blocks[(int) at] = (byte) exponent(random, infinite);
        default -> narrow(random, memory, at, infinite);
      }
    }
    return blocks;
  }

  private static void wide(Random random, MemorySegment memory, long at) {
    float[] rare = {0, -0.0f, 1e-40f, -1e30f};
    memory.set(
        FLOAT,
        at,
        random.nextInt(4) == 0
            ? rare[random.nextInt(rare.length)]
            : (float) Math.scalb(random.nextGaussian(), random.nextInt(40) - 20));
  }

  private static void narrow(Random random, MemorySegment memory, long at, boolean infinite) {
    int bits = random.nextInt(1 << 16);
    boolean number = (bits & F16_EXPONENT) != F16_EXPONENT;
    memory.set(SHORT, at, (short) (number || infinite ? bits : bits & ~F16_EXPONENT));
  }

  /** The power of two of a block of MXFP4: 255 is no number, and the least are subnormal ones. */
  private static int exponent(Random random, boolean infinite) {
    int[] rare = {0, 1, 2, 253, 254, infinite ? 255 : 254};
    return random.nextBoolean() ? rare[random.nextInt(rare.length)] : 100 + random.nextInt(60);
  }
}
