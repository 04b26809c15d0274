package dev.gatun.kernels.api.call.matmul;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.PackedLayout;
import java.util.List;

/**
 * A linear layer with a quantised weight: {@code y[m, n] = activation(Σₖ x[m, k] weight[n, k] +
 * bias[n]) + residual[m, n]}, the weight's elements as {@link PackedLayout} defines them.
 *
 * <p>With {@link QuantizedActivations#EXACT} sums are F32. Otherwise x is quantised in F32, {@code
 * code = round((x - offset) / scale)}, ties to even; the products of codes are summed as whole
 * numbers over each run of input features that shares both scales, and the runs in F32. A token, or
 * block, with a number that is not finite gives NaN; one whose numbers differ by less than 2^-120
 * counts as all equal to its offset.
 *
 * <p>x may also be such codes already, of {@link QuantizeTokens} or a norm; a token whose scale is
 * NaN gives NaN.
 *
 * <p>With zero points or minima a number in x that is not finite gives NaN where the formula may
 * give an infinity.
 *
 * @param layout of the packed weight
 * @param activations what becomes of x
 * @param x F32, BF16 or F16, or I8 where it is codes, [rows, in_features], rows without gaps inside
 * @param codes what the codes of x mean, with {@code INT8_PER_TOKEN}, with offsets only where the
 *     layout has sums; null where x is floats
 * @param packed U8 [{@link PackedLayout#packedBytes}], as {@link QuantizedPack} writes it
 * @param bias F32 [out_features] contiguous, or null for none
 * @param activation applied to each element
 * @param residual of y's dtype and shape, rows without gaps inside, or null for none; may be y
 * @param y F32, BF16 or F16 [rows, out_features], rows without gaps inside
 */
public record QuantizedMatmul(
    PackedLayout layout,
    QuantizedActivations activations,
    Operand x,
    ActivationCodes codes,
    Operand packed,
    Operand bias,
    Activation activation,
    Operand residual,
    Operand y)
    implements MatmulCall {
  private static final String NAME = "quantized_matmul";

  /** Input features whose activations share a scale, with {@code INT8_BLOCKS}. */
  public static final int BLOCK = 32;

  /** Input features whose products of codes a whole number of 32 bits holds. */
  private static final long MOST = 1 << 17;

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public QuantizedMatmul {
    Checks.required(NAME, "layout", layout);
    Checks.required(NAME, "activations", activations);
    Checks.required(NAME, "activation", activation);
    Checks.operand(NAME, "x", x, codes == null ? Checks.floats(NAME, "x", x) : DType.I8, 2);
    Checks.rows(NAME, "x", x);
    Checks.operand(NAME, "y", y, Checks.floats(NAME, "y", y), 2);
    Checks.shaped(NAME, "y", y, y.dtype(), x.size(0), y.size(1));
    Checks.rows(NAME, "y", y);
    if (y.size(0) > 1 && y.stride(0) < y.size(1)) {
      throw Checks.bad(NAME, "y %s has overlapping rows, stride %d", y, y.stride(0));
    }
    checkDepth(NAME, layout, activations, x);
    if (codes != null) {
      checkCodes(layout, activations, x, codes);
    }
    long in = x.size(1);
    long bytes =
        Checks.counted(NAME, "the packed weight of x", x, () -> layout.packedBytes(y.size(1), in));
    Checks.shaped(NAME, "packed", packed, DType.U8, bytes);
    Checks.contiguous(NAME, "packed", packed);
    if (bias != null) {
      Checks.shaped(NAME, "bias", bias, DType.F32, y.size(1));
      Checks.contiguous(NAME, "bias", bias);
    }
    if (residual != null) {
      Checks.shaped(NAME, "residual", residual, y.dtype(), y.size(0), y.size(1));
      Checks.rows(NAME, "residual", residual);
    }
    Checks.disjoint(
        new Operands(NAME, inputs(x, codes, packed, bias, residual), List.of(y)), residual);
  }

  /**
   * The product of floats without a residual.
   *
   * @param layout how the weight lies packed
   * @param activations what products make of x
   * @param x F32, BF16 or F16 [rows, in_features]
   * @param packed U8 [{@link PackedLayout#packedBytes}]
   * @param bias F32 [out_features] contiguous, or null
   * @param activation applied to each element
   * @param y F32, BF16 or F16 [rows, out_features]
   */
  public QuantizedMatmul(
      PackedLayout layout,
      QuantizedActivations activations,
      Operand x,
      Operand packed,
      Operand bias,
      Activation activation,
      Operand y) {
    this(layout, activations, x, null, packed, bias, activation, null, y);
  }

  private static void checkCodes(
      PackedLayout layout, QuantizedActivations activations, Operand x, ActivationCodes codes) {
    if (activations != QuantizedActivations.INT8_PER_TOKEN) {
      throw Checks.bad(NAME, "x %s is codes, which %s does not take", x, activations);
    }
    codes.check(NAME, x.size(0));
    if (codes.offsets() != null && layout.scales() != PackedLayout.Scales.F32_SUM) {
      throw Checks.bad(
          NAME,
          "codes with offsets %s, which a weight with scales %s has no sums for",
          codes.offsets(),
          layout.scales());
    }
  }

  private static List<Operand> inputs(
      Operand x, ActivationCodes codes, Operand packed, Operand bias, Operand residual) {
    return codes == null
        ? Checks.present(x, packed, bias, residual)
        : Checks.present(x, codes.scales(), codes.offsets(), packed, bias, residual);
  }

  /**
   * Requires that a layout's groups and a product's whole numbers hold the input features of x.
   *
   * @param kernel whose call it is, for the message
   * @param layout how the weight lies packed
   * @param activations what products make of x
   * @param x [rows, in_features]
   */
  public static void checkDepth(
      String kernel, PackedLayout layout, QuantizedActivations activations, Operand x) {
    long in = x.size(1);
    int unit = layout.depthUnit();
    if (unit != 0 && in % unit != 0) {
      throw Checks.bad(kernel, "groups of %d do not divide the input features of x %s", unit, x);
    }
    if (activations == QuantizedActivations.INT8_PER_TOKEN && layout.group() == 0 && in > MOST) {
      throw Checks.bad(
          kernel, "x %s has more than %d input features, whose products overflow", x, MOST);
    }
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return inputs(x, codes, packed, bias, residual);
  }

  @Override
  public List<Operand> outputs() {
    return List.of(y);
  }
}
