package dev.gatun.kernels.api.quantized;

import java.lang.foreign.MemorySegment;

/** Makes blocks of floats and takes them apart. */
interface BlockCodec {
  /** Bytes of a block of this many elements. */
  int bytes(int size);

  /**
   * Writes a block.
   *
   * @param x finite elements
   * @param size how many there are
   * @param out receives the block's bytes
   * @param at where it begins
   */
  void encode(float[] x, int size, MemorySegment out, long at);

  /** Reads a block of {@code block.size()} elements. */
  void decode(MemorySegment in, long at, Block block);
}
