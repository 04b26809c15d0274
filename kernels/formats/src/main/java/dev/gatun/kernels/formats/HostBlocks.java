package dev.gatun.kernels.formats;

import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.HostBuffer;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.PackedLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** What backends do with blocks in the host's memory. */
public final class HostBlocks {
  private HostBlocks() {}

  /**
   * Quantises a weight.
   *
   * @param format of the blocks
   * @param weight F32, BF16 or F16 [out_features, in_features], strided at will
   * @param blocks U8 [out_features, {@link BlockFormat#rowBytes}]
   */
  public static void quantize(BlockFormat format, Operand weight, Operand blocks) {
    quantize(format, weight, segment(weight), segment(blocks));
  }

  /**
   * The same with operands that begin at the begin of segments.
   *
   * @param format of the blocks
   * @param weight its dtype, shape and strides
   * @param from the weight's elements
   * @param blocks receives the rows without gaps
   */
  public static void quantize(
      BlockFormat format, Operand weight, MemorySegment from, MemorySegment blocks) {
    Quantizer.quantize(
        format,
        (row, x) -> {
          for (int i = 0; i < x.length; i++) {
            x[i] = element(from, weight.dtype(), row * weight.stride(0) + i * weight.stride(1));
          }
        },
        Math.toIntExact(weight.size(0)),
        Math.toIntExact(weight.size(1)),
        blocks);
  }

  /**
   * Makes blocks floats again.
   *
   * @param format of the blocks
   * @param blocks U8 [out_features, {@link BlockFormat#rowBytes}], rows without gaps inside
   * @param weight F32 [out_features, in_features] contiguous
   */
  public static void dequantize(BlockFormat format, Operand blocks, Operand weight) {
    dequantize(format, blocks, segment(blocks), weight.size(1), segment(weight));
  }

  /**
   * The same with operands that begin at the begin of segments.
   *
   * @param format of the blocks
   * @param blocks their shape and strides
   * @param from the bytes of the blocks
   * @param inFeatures elements of a row
   * @param weight receives F32 [out_features, in_features] without gaps
   */
  public static void dequantize(
      BlockFormat format,
      Operand blocks,
      MemorySegment from,
      long inFeatures,
      MemorySegment weight) {
    int in = Math.toIntExact(inFeatures);
    Parallel.each(
        in == 0 ? 0 : blocks.size(0),
        row -> {
          float[] x = new float[in];
          long at = row * blocks.stride(0);
          Quantizer.dequantize(format, from.asSlice(at, format.rowBytes(in)), x);
          MemorySegment.copy(x, 0, weight, ValueLayout.JAVA_FLOAT_UNALIGNED, row * in * 4, in);
        });
  }

  /**
   * Lays blocks out for products.
   *
   * @param format of the blocks
   * @param layout one of the format's
   * @param inFeatures elements of a row
   * @param blocks U8 [out_features, {@link BlockFormat#rowBytes}], rows without gaps inside
   * @param packed U8 [{@link PackedLayout#packedBytes}] contiguous
   */
  public static void pack(
      BlockFormat format, PackedLayout layout, long inFeatures, Operand blocks, Operand packed) {
    pack(format, layout, inFeatures, blocks, segment(blocks), segment(packed));
  }

  /**
   * The same with operands that begin at the begin of segments.
   *
   * @param format of the blocks
   * @param layout one of the format's
   * @param inFeatures elements of a row
   * @param blocks their shape and strides
   * @param from the bytes of the blocks
   * @param packed receives {@link PackedLayout#packedBytes}
   */
  public static void pack(
      BlockFormat format,
      PackedLayout layout,
      long inFeatures,
      Operand blocks,
      MemorySegment from,
      MemorySegment packed) {
    Packer.pack(format, layout, from, blocks.stride(0), blocks.size(0), inFeatures, packed);
  }

  /**
   * Requires that the scales and minima of blocks are finite.
   *
   * @param kernel whose call it is, for the message
   * @param format of the blocks
   * @param inFeatures elements of a row
   * @param blocks U8 [out_features, {@link BlockFormat#rowBytes}], rows without gaps inside
   * @throws IllegalArgumentException when one is not, naming the row and the block
   */
  public static void requireFinite(
      String kernel, BlockFormat format, long inFeatures, Operand blocks) {
    requireFinite(kernel, format, inFeatures, blocks, segment(blocks));
  }

  /**
   * The same with blocks that begin at the begin of a segment.
   *
   * @param kernel whose call it is, for the message
   * @param format of the blocks
   * @param inFeatures elements of a row
   * @param blocks their shape and strides
   * @param from the bytes of the blocks
   * @throws IllegalArgumentException when one is not, naming the row and the block
   */
  public static void requireFinite(
      String kernel, BlockFormat format, long inFeatures, Operand blocks, MemorySegment from) {
    Packer.requireFinite(kernel, format, from, blocks.stride(0), blocks.size(0), inFeatures);
  }

  private static MemorySegment segment(Operand operand) {
    MemorySegment memory = ((HostBuffer) operand.buffer()).segment();
    return memory.asSlice(Math.min(operand.byteOffset(), memory.byteSize()));
  }

  private static float element(MemorySegment memory, DType dtype, long place) {
    return switch (dtype) {
      case F32 -> memory.get(ValueLayout.JAVA_FLOAT_UNALIGNED, place * 4);
      case BF16 ->
          Float.intBitsToFloat(memory.get(ValueLayout.JAVA_SHORT_UNALIGNED, place * 2) << 16);
      default -> Float.float16ToFloat(memory.get(ValueLayout.JAVA_SHORT_UNALIGNED, place * 2));
    };
  }
}
