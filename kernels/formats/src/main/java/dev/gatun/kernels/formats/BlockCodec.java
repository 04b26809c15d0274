package dev.gatun.kernels.formats;

import dev.gatun.kernels.api.memory.BlockFormat;
import java.lang.foreign.MemorySegment;

/** Makes blocks of floats and takes them apart. */
interface BlockCodec {
  /**
   * Writes a block.
   *
   * @param x finite elements
   * @param size how many there are
   * @param out receives the block's bytes
   * @param at where it begins
   */
  void encode(float[] x, int size, MemorySegment out, long at);

  /**
   * The same where the errors of some elements matter more. Formats whose codes follow from the
   * largest element alone do the same for all weights.
   *
   * @param weights of the squared errors, above 0
   */
  default void encode(float[] x, float[] weights, int size, MemorySegment out, long at) {
    encode(x, size, out, at);
  }

  /** Reads a block of {@code block.size()} elements. */
  void decode(MemorySegment in, long at, Block block);

  /** The codec of a format. */
  static BlockCodec of(BlockFormat format) {
    return switch (format.kind()) {
      case INT8 -> new Int8Codec();
      case INT8_ZERO -> new Int8ZeroCodec();
      case INT4 -> new Int4Codec();
      case INT4_ZERO -> new Int4ZeroCodec();
      case Q4_0 -> new SymmetricCodec(4);
      case Q4_1 -> new AffineCodec(4);
      case Q5_0 -> new SymmetricCodec(5);
      case Q5_1 -> new AffineCodec(5);
      case Q8_0 -> new Q8Codec();
      case Q4_K -> new SuperBlockCodec(4);
      case Q5_K -> new SuperBlockCodec(5);
      case Q6_K -> new Q6KCodec();
      case Q2_K -> new Q2KCodec();
      case Q3_K -> new Q3KCodec();
      case IQ4_NL -> new Iq4NlCodec();
      case IQ4_XS -> new Iq4XsCodec();
      case MXFP4 -> new Mxfp4Codec();
    };
  }
}
