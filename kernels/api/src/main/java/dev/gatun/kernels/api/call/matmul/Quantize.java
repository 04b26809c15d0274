package dev.gatun.kernels.api.call.matmul;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * Quantises a weight to blocks; how is the format's, see {@link BlockFormat}. Elements that are NaN
 * or infinite, or too large for the format's scale, are refused.
 *
 * @param weight F32, BF16 or F16 [out_features, in_features], strided at will; the format's block
 *     divides in_features
 * @param format of the blocks
 * @param blocks U8 [out_features, {@link BlockFormat#rowBytes}] contiguous
 */
public record Quantize(Operand weight, BlockFormat format, Operand blocks) implements MatmulCall {
  private static final String NAME = "quantize";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public Quantize {
    Checks.required(NAME, "format", format);
    Checks.operand(NAME, "weight", weight, Checks.floats(NAME, "weight", weight), 2);
    Checks.blocks(NAME, blocks, format, weight.size(0), weight.size(1));
    Checks.contiguous(NAME, "blocks", blocks);
    if (weight.size(0) > Integer.MAX_VALUE) {
      throw Checks.bad(NAME, "weight is %s, expected fewer than 2^31 rows", weight);
    }
    Checks.disjoint(new Operands(NAME, Checks.present(weight), Checks.present(blocks)));
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(weight);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(blocks);
  }
}
