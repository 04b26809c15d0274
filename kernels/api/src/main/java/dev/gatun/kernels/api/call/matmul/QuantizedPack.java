package dev.gatun.kernels.api.call.matmul;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.PackedLayout;
import java.util.List;

/**
 * Lays quantised blocks out for {@link QuantizedMatmul}, as {@link PackedLayout} says. No number
 * changes but where a layout has minima of F32: those of Q4_1, Q4_K, Q5_1, Q5_K and Q2_K move to
 * the middle code and are rounded to F32, as is {@code scale * zero} of INT8_ZERO.
 *
 * @param format of the blocks
 * @param layout what they become: as {@link dev.gatun.kernels.api.device.Kernels#layout} gives it
 * @param inFeatures elements of a row
 * @param blocks U8 [out_features, {@link BlockFormat#rowBytes}], rows without gaps inside; scales
 *     must be finite
 * @param packed U8 [{@link PackedLayout#packedBytes}] contiguous
 */
public record QuantizedPack(
    BlockFormat format, PackedLayout layout, long inFeatures, Operand blocks, Operand packed)
    implements MatmulCall {
  private static final String NAME = "quantized_pack";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public QuantizedPack {
    Checks.required(NAME, "format", format);
    Checks.required(NAME, "layout", layout);
    if (!layout.equals(format.layout()) && !layout.equals(format.wideLayout())) {
      throw Checks.bad(
          NAME,
          "blocks of %s do not become %s, expected %s or %s",
          format,
          layout,
          format.layout(),
          format.wideLayout());
    }
    if (inFeatures < 0) {
      throw Checks.bad(NAME, "in_features is %d, expected 0 or more", inFeatures);
    }
    Checks.operand(NAME, "blocks", blocks, DType.U8, 2);
    Checks.blocks(NAME, blocks, format, blocks.size(0), inFeatures);
    long bytes =
        Checks.counted(
            NAME,
            "the packed form of blocks",
            blocks,
            () -> layout.packedBytes(blocks.size(0), inFeatures));
    Checks.shaped(NAME, "packed", packed, DType.U8, bytes);
    Checks.contiguous(NAME, "packed", packed);
    Checks.disjoint(new Operands(NAME, Checks.present(blocks), Checks.present(packed)));
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(blocks);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(packed);
  }
}
