package dev.gatun.kernels.formats;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.PackedLayout;
import java.lang.foreign.MemorySegment;

/** Lays blocks out for products, and reads them from there. */
public final class Packer {
  private Packer() {}

  /**
   * Packs the blocks of a weight.
   *
   * @param blocks [out_features] rows of {@link BlockFormat#rowBytes}, {@code rowStride} apart
   * @param packed {@link PackedLayout#packedBytes} of the layout
   * @param format of the blocks
   * @param layout one of the format's
   * @param rowStride bytes from row to row
   * @param outFeatures rows of the weight
   * @param inFeatures elements of a row
   * @throws IllegalArgumentException when a scale is not finite, naming the row and the block
   */
  public static void pack(
      BlockFormat format,
      PackedLayout layout,
      MemorySegment blocks,
      long rowStride,
      long outFeatures,
      long inFeatures,
      MemorySegment packed) {
    long panels = Math.ceilDiv(outFeatures, PackedLayout.PANEL);
    Parallel.each(
        inFeatures == 0 ? 0 : panels,
        panel -> {
          Panel out = new Panel(layout, inFeatures, packed, panel);
          out.clear();
          Block block = new Block(format.blockSize(inFeatures));
          int bytes = format.blockBytes(inFeatures);
          BlockCodec codec = BlockCodec.of(format);
          long first = panel * PackedLayout.PANEL;
          for (int f = 0; f < PackedLayout.PANEL && first + f < outFeatures; f++) {
            for (long b = 0; b < inFeatures / block.size(); b++) {
              codec.decode(blocks, (first + f) * rowStride + b * bytes, block);
              requireFinite("quantized_pack", format, block, first + f, b);
              out.write(f, b, block, centre(format, layout));
            }
          }
        });
  }

  /**
   * What packing takes off the codes of formats with a minimum, so that they lie about 0 and the
   * minimum's part of a product is small.
   */
  private static int centre(BlockFormat format, PackedLayout layout) {
    return switch (format.kind()) {
      case Q4_1, Q4_K -> 8;
      case Q5_1, Q5_K -> 16;
      case Q2_K -> layout.scales() == PackedLayout.Scales.F32_MIN ? 2 : 8;
      default -> 0;
    };
  }

  /**
   * Requires that the scales of blocks are finite.
   *
   * @param kernel whose call it is, for the message
   * @param blocks [out_features] rows of {@link BlockFormat#rowBytes}, {@code rowStride} apart
   * @param format of the blocks
   * @param rowStride bytes from row to row
   * @param outFeatures rows of the weight
   * @param inFeatures elements of a row
   * @throws IllegalArgumentException when one is not, naming the row and the block
   */
  static void requireFinite(
      String kernel,
      BlockFormat format,
      MemorySegment blocks,
      long rowStride,
      long outFeatures,
      long inFeatures) {
    Block block = new Block(format.blockSize(inFeatures));
    BlockCodec codec = BlockCodec.of(format);
    for (long row = 0; inFeatures > 0 && row < outFeatures; row++) {
      for (long b = 0; b < inFeatures / block.size(); b++) {
        codec.decode(blocks, row * rowStride + b * format.blockBytes(inFeatures), block);
        requireFinite(kernel, format, block, row, b);
      }
    }
  }

  private static void requireFinite(
      String kernel, BlockFormat format, Block block, long row, long b) {
    for (int g = 0; g < block.size() / block.group(); g++) {
      if (!Float.isFinite(block.scales[g]) || !Float.isFinite(block.mins[g])) {
        throw new IllegalArgumentException(
            "%s: block %d of row %d has scale %s and minimum %s, expected finite numbers of %s"
                .formatted(kernel, b, row, block.scales[g], block.mins[g], format));
      }
    }
  }

  /**
   * The elements of an output feature of a packed weight.
   *
   * @param row receives in_features elements, exact in double
   * @param layout how the weight lies packed
   * @param packed the packed weight
   * @param inFeatures elements of a row
   * @param outFeature its number
   */
  public static void unpack(
      PackedLayout layout, MemorySegment packed, long inFeatures, long outFeature, double[] row) {
    if (inFeatures > 0) {
      new Panel(layout, inFeatures, packed, outFeature / PackedLayout.PANEL)
          .read((int) (outFeature % PackedLayout.PANEL), row);
    }
  }
}
