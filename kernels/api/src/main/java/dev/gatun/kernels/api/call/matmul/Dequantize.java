package dev.gatun.kernels.api.call.matmul;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * Makes quantised blocks floats again, by the arithmetic of their format.
 *
 * @param format of the blocks
 * @param blocks U8 [out_features, {@link BlockFormat#rowBytes}], rows without gaps inside
 * @param weight F32 [out_features, in_features] contiguous
 */
public record Dequantize(BlockFormat format, Operand blocks, Operand weight) implements MatmulCall {
  private static final String NAME = "dequantize";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public Dequantize {
    Checks.required(NAME, "format", format);
    Checks.operand(NAME, "weight", weight, DType.F32, 2);
    Checks.contiguous(NAME, "weight", weight);
    Checks.blocks(NAME, blocks, format, weight.size(0), weight.size(1));
    Checks.disjoint(new Operands(NAME, Checks.present(blocks), Checks.present(weight)));
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
    return Checks.present(weight);
  }
}
