package dev.gatun.kernels.api.call.experts;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.QuantizedPack;
import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.PackedLayout;
import java.util.List;

/**
 * A {@link GroupedMatmul} whose weights are quantised: each expert's product is a {@link
 * QuantizedMatmul}.
 *
 * @param layout of the packed weights
 * @param activations what becomes of x
 * @param x F32, BF16 or F16 [places, in_features], or [tokens, in_features] where there are rows;
 *     rows without gaps inside
 * @param rows I32 [places] contiguous, as {@link ExpertRouting} gives them, or null
 * @param offsets I32 [experts + 1] contiguous, as {@link ExpertRouting} gives them
 * @param packed U8 [experts * {@link PackedLayout#packedBytes}] contiguous: the experts' weights
 *     [out_features, in_features], each as {@link QuantizedPack} writes it
 * @param bias F32 [experts, out_features] contiguous, or null for none
 * @param activation applied to each element
 * @param y F32, BF16 or F16 [places, out_features], rows without gaps inside
 */
public record GroupedQuantizedMatmul(
    PackedLayout layout,
    QuantizedActivations activations,
    Operand x,
    Operand rows,
    Operand offsets,
    Operand packed,
    Operand bias,
    Activation activation,
    Operand y)
    implements ExpertCall {
  private static final String NAME = "grouped_quantized_matmul";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public GroupedQuantizedMatmul {
    Checks.required(NAME, "layout", layout);
    Checks.required(NAME, "activations", activations);
    Checks.required(NAME, "activation", activation);
    GroupedRows grouped = new GroupedRows(x, rows, offsets, bias, y);
    grouped.check(NAME);
    QuantizedMatmul.checkDepth(NAME, layout, activations, x);
    long bytes =
        Checks.counted(
            NAME,
            "the packed weights of x",
            x,
            () -> Math.multiplyExact(grouped.experts(), layout.packedBytes(y.size(1), x.size(1))));
    Checks.shaped(NAME, "packed", packed, DType.U8, bytes);
    Checks.contiguous(NAME, "packed", packed);
    Checks.disjoint(new Operands(NAME, Checks.present(x, rows, offsets, packed, bias), List.of(y)));
  }

  /** {@return the number of experts} */
  public long experts() {
    return offsets.size(0) - 1;
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(x, rows, offsets, packed, bias);
  }

  @Override
  public List<Operand> outputs() {
    return List.of(y);
  }
}
