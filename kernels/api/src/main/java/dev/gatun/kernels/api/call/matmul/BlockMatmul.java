package dev.gatun.kernels.api.call.matmul;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.PackedLayout;
import java.util.List;

/**
 * A linear layer with a weight whose blocks lie as a file has them: what {@link QuantizedMatmul}
 * gives of their packed form, {@code y[m, n] = activation(Σₖ x[m, k] weight[n, k] + bias[n])}, to
 * the bit on the same backend. Nothing is kept of the packed form, so this needs no memory for it,
 * and takes the time of packing at each call.
 *
 * @param format of the blocks
 * @param activations what becomes of x
 * @param x F32, BF16 or F16 [rows, in_features], rows without gaps inside
 * @param blocks U8 [out_features, {@link BlockFormat#rowBytes}], rows without gaps inside, at any
 *     byte; scales must be finite, which is looked at where there are rows of x
 * @param bias F32 [out_features] contiguous, or null for none
 * @param activation applied to each element
 * @param y F32, BF16 or F16 [rows, out_features], rows without gaps inside; undefined where a scale
 *     is not finite
 */
public record BlockMatmul(
    BlockFormat format,
    QuantizedActivations activations,
    Operand x,
    Operand blocks,
    Operand bias,
    Activation activation,
    Operand y)
    implements MatmulCall {
  private static final String NAME = "block_matmul";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public BlockMatmul {
    Checks.required(NAME, "format", format);
    Checks.required(NAME, "activations", activations);
    Checks.required(NAME, "activation", activation);
    Checks.operand(NAME, "x", x, Checks.floats(NAME, "x", x), 2);
    Checks.rows(NAME, "x", x);
    Checks.operand(NAME, "y", y, Checks.floats(NAME, "y", y), 2);
    Checks.shaped(NAME, "y", y, y.dtype(), x.size(0), y.size(1));
    Checks.rows(NAME, "y", y);
    if (y.size(0) > 1 && y.stride(0) < y.size(1)) {
      throw Checks.bad(NAME, "y %s has overlapping rows, stride %d", y, y.stride(0));
    }
    Checks.blocks(NAME, blocks, format, y.size(1), x.size(1));
    PackedLayout widest = format.wideLayout();
    QuantizedMatmul.checkDepth(NAME, widest, activations, x);
    long out = y.size(1);
    long in = x.size(1);
    Checks.counted(NAME, "the packed form of blocks", blocks, () -> widest.packedBytes(out, in));
    if (bias != null) {
      Checks.shaped(NAME, "bias", bias, DType.F32, y.size(1));
      Checks.contiguous(NAME, "bias", bias);
    }
    Checks.disjoint(new Operands(NAME, Checks.present(x, blocks, bias), List.of(y)));
  }

  /**
   * {@return {@link PackedLayout#packedBytes} of the weight}
   *
   * @param layout how it is packed
   */
  public long packedBytes(PackedLayout layout) {
    return layout.packedBytes(y.size(1), x.size(1));
  }

  /**
   * {@return the call that packs the blocks}
   *
   * @param layout how they are packed
   * @param packed U8 [{@link #packedBytes}]
   */
  public QuantizedPack pack(PackedLayout layout, Operand packed) {
    return new QuantizedPack(format, layout, x.size(1), blocks, packed);
  }

  /**
   * {@return the call that multiplies by the packed blocks}
   *
   * @param layout how they are packed
   * @param packed U8 [{@link #packedBytes}]
   */
  public QuantizedMatmul product(PackedLayout layout, Operand packed) {
    return new QuantizedMatmul(layout, activations, x, packed, bias, activation, y);
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(x, blocks, bias);
  }

  @Override
  public List<Operand> outputs() {
    return List.of(y);
  }
}
