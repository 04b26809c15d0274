package dev.gatun.kernels.formats;

import dev.gatun.kernels.api.memory.BlockFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * GGML's formats that products do not read: they become blocks of INT8 when they are loaded, with
 * {@code scale * code} the format's value to the bit. That costs memory: 10 bits an element in
 * groups of 16, 9 in groups of 32 and 8.25 in groups of 128, instead of the 1.6 to 3.4 in the file.
 */
public enum WidenedFormat {
  /** About 2.06 bits an element, groups of 32. */
  IQ2_XXS(16, 66, 32, GridDecoders::iq2xxs),
  /** About 2.31 bits, groups of 16. */
  IQ2_XS(17, 74, 16, GridDecoders::iq2xs),
  /** About 3.06 bits, groups of 32. */
  IQ3_XXS(18, 98, 32, GridDecoders::iq3xxs),
  /** About 1.56 bits, groups of 32. */
  IQ1_S(19, 50, 32, GridDecoders::iq1s),
  /** About 3.44 bits, groups of 32. */
  IQ3_S(21, 110, 32, GridDecoders::iq3s),
  /** About 2.56 bits, groups of 16. */
  IQ2_S(22, 82, 16, GridDecoders::iq2s),
  /** About 1.75 bits, groups of 16. */
  IQ1_M(29, 56, 16, GridDecoders::iq1m),
  /** About 1.69 bits, one scale a block. */
  TQ1_0(34, 54, 128, TernaryDecoders::tq1),
  /** About 2.06 bits, one scale a block. */
  TQ2_0(35, 66, 128, TernaryDecoders::tq2);

  private static final ValueLayout.OfFloat F32 =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  // Blocks of 256 elements that one thread widens at a time.
  private static final long TOGETHER = 256;

  private final int ggmlType;
  private final int blockBytes;
  private final int group;
  private final Consumer<WidenedBlock> decoder;

  WidenedFormat(int ggmlType, int blockBytes, int group, Consumer<WidenedBlock> decoder) {
    this.ggmlType = ggmlType;
    this.blockBytes = blockBytes;
    this.group = group;
    this.decoder = decoder;
  }

  /**
   * {@return the format of a number of GGML's, if it is one of these}
   *
   * @param ggmlType the number of a tensor's type in a GGUF file
   */
  public static Optional<WidenedFormat> ofGgmlType(int ggmlType) {
    return Arrays.stream(values()).filter(f -> f.ggmlType == ggmlType).findAny();
  }

  /** {@return the number that GGUF files call it by} */
  public int ggmlType() {
    return ggmlType;
  }

  /** {@return the number of elements in a block} */
  public int blockSize() {
    return WidenedBlock.SIZE;
  }

  /** {@return the bytes of a block in a file} */
  public int blockBytes() {
    return blockBytes;
  }

  /**
   * {@return the bytes of a row in a file}
   *
   * @param inFeatures the row's elements
   * @throws IllegalArgumentException when the block does not divide the row
   */
  public long rowBytes(long inFeatures) {
    if (inFeatures % WidenedBlock.SIZE != 0) {
      throw new IllegalArgumentException(
          "%s has blocks of %d, which do not divide %d input features"
              .formatted(this, WidenedBlock.SIZE, inFeatures));
    }
    return Math.multiplyExact(inFeatures / WidenedBlock.SIZE, blockBytes);
  }

  /** {@return what it becomes: INT8 in groups of {@code 16}, {@code 32} or {@code 128}} */
  public BlockFormat becomes() {
    return BlockFormat.int8(group);
  }

  /**
   * Writes blocks as {@link #becomes} has them, by all threads. A scale that is not finite stays
   * so, and is refused when the blocks are packed.
   *
   * @param blocks rows of {@link #rowBytes} without gaps
   * @param out receives rows of {@link BlockFormat#rowBytes} without gaps; not the same memory
   * @throws IllegalArgumentException when the blocks are not whole, or out is not as long as what
   *     they become
   */
  public void widen(MemorySegment blocks, MemorySegment out) {
    long count = blocks.byteSize() / blockBytes;
    long bytes = becomes().rowBytes(WidenedBlock.SIZE);
    if (count * blockBytes != blocks.byteSize() || count * bytes != out.byteSize()) {
      throw new IllegalArgumentException(
          "%d bytes of %s into %d of %s, expected a multiple of %d into as many times %d"
              .formatted(blocks.byteSize(), this, out.byteSize(), becomes(), blockBytes, bytes));
    }
    Parallel.each(
        Math.ceilDiv(count, TOGETHER),
        part -> {
          WidenedBlock block = new WidenedBlock(blockBytes);
          for (long b = part * TOGETHER; b < Math.min(count, (part + 1) * TOGETHER); b++) {
            block.read(blocks, b * blockBytes);
            decoder.accept(block);
            write(block, out, b * bytes);
          }
        });
  }

  private void write(WidenedBlock block, MemorySegment out, long at) {
    for (int g = 0; g < WidenedBlock.SIZE / group; g++) {
      long begin = at + (long) g * (4 + group);
      out.set(F32, begin, block.scales[g]);
      MemorySegment.copy(block.codes, g * group, out, ValueLayout.JAVA_BYTE, begin + 4, group);
    }
  }
}
