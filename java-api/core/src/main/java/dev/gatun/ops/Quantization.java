package dev.gatun.ops;

import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.ActivationCodes;
import dev.gatun.kernels.api.call.matmul.BlockMatmul;
import dev.gatun.kernels.api.call.matmul.Dequantize;
import dev.gatun.kernels.api.call.matmul.Quantize;
import dev.gatun.kernels.api.call.matmul.QuantizeTokens;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.QuantizedPack;
import dev.gatun.kernels.api.call.matmul.TokenCodes;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.PackedLayout;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.List;

/** Operations on quantised weights. */
public final class Quantization {
  /** What half of a token's range is at least, where its codes are not all 0. */
  private static final double SMALLEST = 0x1p-120;

  private Quantization() {}

  /**
   * A weight [out_features, in_features] as rows of blocks, U8 [out_features, row_bytes].
   *
   * @param weight F32, BF16 or F16 [out_features, in_features], any strides
   * @param format of the blocks
   * @return U8 [out_features, row_bytes], row_bytes being the format's of in_features
   * @throws IllegalArgumentException when the format's block does not divide in_features, or an
   *     element is not finite
   * @throws UnsupportedOperationException when a tape tracks the weight
   */
  public static Tensor quantize(Tensor weight, BlockFormat format) {
    Calls.axes("quantize", "weight", weight, 2);
    Tape.refuse("quantize", weight);
    return Calls.run(
        Tensor.empty(weight.device(), DType.U8, weight.size(0), format.rowBytes(weight.size(1))),
        (k, y) -> k.run(new Quantize(weight.operand(), format, y.operand())),
        weight);
  }

  /**
   * The floats that blocks mean, by the arithmetic of their format.
   *
   * @param blocks U8 [out_features, row_bytes]
   * @param format of the blocks
   * @param inFeatures elements of a row
   * @return F32 [out_features, in_features]
   */
  public static Tensor dequantize(Tensor blocks, BlockFormat format, long inFeatures) {
    Calls.axes("dequantize", "blocks", blocks, 2);
    return Calls.run(
        Tensor.empty(blocks.device(), DType.F32, blocks.size(0), inFeatures),
        (k, y) -> k.run(new Dequantize(format, blocks.operand(), y.operand())),
        blocks);
  }

  /**
   * Blocks in the form that {@link #linear} takes.
   *
   * @param blocks U8 [out_features, row_bytes], of finite scales
   * @param format of the blocks
   * @param inFeatures elements of a row
   * @return U8, the packed weight
   */
  public static Tensor pack(Tensor blocks, BlockFormat format, long inFeatures) {
    Calls.axes("quantized_pack", "blocks", blocks, 2);
    PackedLayout layout = blocks.device().kernels().layout(format);
    return Calls.run(
        Tensor.empty(blocks.device(), DType.U8, layout.packedBytes(blocks.size(0), inFeatures)),
        (k, y) ->
            k.run(new QuantizedPack(format, layout, inFeatures, blocks.operand(), y.operand())),
        blocks);
  }

  /** Whether activations that become codes have offsets. */
  public enum Offsets {
    /** A code of 0 means 0. */
    NONE,
    /** Codes span what lies between a token's extremes, for weights that keep their sums. */
    OF_TOKENS
  }

  /**
   * Activations that are signed bytes with a scale a token.
   *
   * @param codes I8 [..., features]
   * @param scales F32 [rows]
   * @param offsets F32 [rows], what codes of 0 mean, or null where that is 0
   */
  public record Codes(Tensor codes, Tensor scales, Tensor offsets) {
    /** Room for the codes of x. */
    static Codes empty(Tensor x, Offsets offsets) {
      long rows = Calls.rows("quantize_tokens", x).size(0);
      return new Codes(
          Tensor.empty(x.device(), DType.I8, x.shape()),
          Tensor.empty(x.device(), DType.F32, rows),
          offsets == Offsets.NONE ? null : Tensor.empty(x.device(), DType.F32, rows));
    }

    /** What a kernel writes. */
    TokenCodes target(String op) {
      return new TokenCodes(Calls.rows(op, codes).operand(), meaning(), false);
    }

    Codes keptBy(Scope scope) {
      scope.keep(codes);
      scope.keep(scales);
      scope.keep(offsets);
      return this;
    }

    private ActivationCodes meaning() {
      return new ActivationCodes(scales.operand(), Calls.operand(offsets));
    }
  }

  /**
   * Activations as codes with a scale a token, for {@link #linear}s to read.
   *
   * @param x F32, BF16 or F16 [..., features]
   * @param offsets whether codes have offsets
   * @return the codes with their scales, and offsets where these are asked for
   * @throws UnsupportedOperationException when a tape tracks x
   */
  public static Codes quantizeTokens(Tensor x, Offsets offsets) {
    Tape.refuse("quantize_tokens", x);
    try (Scope scope = Scope.open()) {
      Codes codes = Codes.empty(x, offsets);
      x.device()
          .kernels()
          .run(
              new QuantizeTokens(
                  Calls.rows("quantize_tokens", x).operand(), codes.target("quantize_tokens")));
      Calls.fence(x);
      return codes.keptBy(scope);
    }
  }

  /**
   * {@link #quantizeTokens} in simple ops.
   *
   * @param x F32, BF16 or F16 [..., features]
   * @param offsets whether codes have offsets
   * @return the codes with their scales, and offsets where these are asked for
   */
  public static Codes plainQuantizeTokens(Tensor x, Offsets offsets) {
    try (Scope scope = Scope.open()) {
      Tensor rows = Plain.wide(x);
      rows = rows.reshape(Calls.rows("quantize_tokens", x).shape());
      Device device = x.device();
      if (rows.count() == 0) {
        return zeros(x, offsets, rows.size(0)).keptBy(scope);
      }
      // Infinity and NaN less themselves are NaN, which equals nothing.
      Tensor difference = Elementwise.subtract(rows, rows);
      Tensor finite =
          Plain.not(Plain.maxOfRows(Plain.not(Elementwise.equal(difference, difference))));
      Tensor known = Elementwise.keepWhere(rows, finite);
      Tensor most = Plain.maxOfRows(known);
      Tensor least = Plain.negated(Plain.maxOfRows(Plain.negated(known)));
      Tensor half =
          offsets == Offsets.NONE
              ? Plain.maxOfRows(Plain.absolute(known))
              : Elementwise.subtract(Plain.times(most, 0.5), Plain.times(least, 0.5));
      Tensor offset =
          offsets == Offsets.NONE
              ? null
              : Elementwise.add(Plain.times(most, 0.5), Plain.times(least, 0.5));
      Tensor wide = Plain.not(Elementwise.less(half, Plain.number(device, SMALLEST)));
      Tensor shifted = offset == null ? known : Elementwise.subtract(known, offset);
      Tensor factor = Elementwise.divide(Plain.number(device, 127), half);
      Tensor codes = Elementwise.keepWhere(Elementwise.multiply(shifted, factor), wide);
      Tensor most127 = Plain.number(device, 127);
      codes = Elementwise.maximum(Elementwise.minimum(codes, most127), Plain.negated(most127));
      Tensor scale = Elementwise.keepWhere(Elementwise.divide(half, most127), wide);
      Tensor nan = Plain.number(device, Double.NaN);
      return new Codes(
              Layouts.contiguous(Elementwise.cast(codes, DType.I8).reshape(x.shape())),
              Layouts.contiguous(Plain.where(finite, scale, nan).reshape(rows.size(0))),
              offset == null ? null : Layouts.contiguous(offset.reshape(rows.size(0))))
          .keptBy(scope);
    }
  }

  private static Codes zeros(Tensor x, Offsets offsets, long rows) {
    return new Codes(
        Tensor.zeros(x.device(), DType.I8, x.shape()),
        Tensor.zeros(x.device(), rows),
        offsets == Offsets.NONE ? null : Tensor.zeros(x.device(), rows));
  }

  /** What codes mean: F32 [rows, features]. */
  private static Tensor meant(Codes x) {
    Tensor codes = Plain.wide(x.codes()).reshape(Calls.rows("dequantize", x.codes()).shape());
    Tensor y = Elementwise.multiply(codes, x.scales().reshape(x.scales().count(), 1));
    return x.offsets() == null
        ? y
        : Elementwise.add(y, x.offsets().reshape(x.offsets().count(), 1));
  }

  /**
   * {@link #linear(Codes, Tensor, BlockFormat, Tensor, long, Activation, DType)} in simple ops.
   *
   * @param x I8 [..., in_features] with their scales
   * @param weight F32 [out_features, in_features], as {@link #dequantize} gives it
   * @param bias F32 [out_features], or null for none
   * @param activation applied to each element
   * @param dtype of the result: F32, BF16 or F16
   * @return [..., out_features]
   */
  public static Tensor plainLinear(
      Codes x, Tensor weight, Tensor bias, Activation activation, DType dtype) {
    try (Scope scope = Scope.open()) {
      Tensor y = Matmul.plainLinear(meant(x), weight, bias, activation, dtype);
      return scope.keep(Layouts.contiguous(y.reshape(Calls.withLast(x.codes(), weight.size(0)))));
    }
  }

  /**
   * {@link #linear(Tensor, Tensor, BlockFormat, QuantizedActivations, Tensor, long, Activation,
   * DType)} in simple ops.
   *
   * @param x F32, BF16 or F16 [..., in_features]
   * @param weight F32 [out_features, in_features], as {@link #dequantize} gives it
   * @param withSums whether the packed weight has sums, so that codes of tokens have offsets
   * @param activations what becomes of x
   * @param bias F32 [out_features], or null for none
   * @param activation applied to each element
   * @param dtype of the result: F32, BF16 or F16
   * @return [..., out_features]
   */
  public static Tensor plainLinear(
      Tensor x,
      Tensor weight,
      boolean withSums,
      QuantizedActivations activations,
      Tensor bias,
      Activation activation,
      DType dtype) {
    try (Scope scope = Scope.open()) {
      Tensor rows = Calls.rows("quantized_matmul", x);
      Tensor given =
          switch (activations) {
            case EXACT -> Plain.wide(rows);
            case INT8_PER_TOKEN ->
                meant(plainQuantizeTokens(rows, withSums ? Offsets.OF_TOKENS : Offsets.NONE));
            case INT8_BLOCKS -> inBlocks(rows);
          };
      Tensor y = Matmul.plainLinear(given, weight, bias, activation, dtype);
      return scope.keep(Layouts.contiguous(y.reshape(Calls.withLast(x, weight.size(0)))));
    }
  }

  /** x [rows, features] as its codes in blocks mean it; the last block may be shorter. */
  private static Tensor inBlocks(Tensor x) {
    int block = QuantizedMatmul.BLOCK;
    Tensor rest = Tensor.zeros(x.device(), x.size(0), -x.size(1) & block - 1);
    Tensor whole = Layouts.concat(1, List.of(Plain.wide(x), rest));
    Tensor blocks = whole.reshape(whole.count() / block, block);
    Tensor meant = meant(plainQuantizeTokens(blocks, Offsets.NONE));
    return Layouts.contiguous(meant.reshape(whole.shape()).slice(1, 0, x.size(1)));
  }

  /**
   * {@link #linear} of activations that are codes, with a weight that products per token read.
   *
   * @param x I8 [..., in_features] with their scales; with offsets only where the packed weight has
   *     sums
   * @param packed U8, the weight as {@link #pack} gives it
   * @param format of the weight
   * @param bias F32 [out_features], or null for none
   * @param outFeatures the rows of the weight
   * @param activation applied to each element
   * @param dtype of the result: F32, BF16 or F16
   * @return [..., out_features]
   * @throws UnsupportedOperationException when a tape tracks the bias
   */
  public static Tensor linear(
      Codes x,
      Tensor packed,
      BlockFormat format,
      Tensor bias,
      long outFeatures,
      Activation activation,
      DType dtype) {
    Operand rows = Calls.rows("quantized_matmul", x.codes()).operand();
    Tape.refuse("quantized_matmul", bias);
    return Calls.run(
        Tensor.empty(packed.device(), dtype, Calls.withLast(x.codes(), outFeatures)),
        (k, y) ->
            k.run(
                new QuantizedMatmul(
                    k.layout(format),
                    QuantizedActivations.INT8_PER_TOKEN,
                    rows,
                    x.meaning(),
                    packed.operand(),
                    Calls.operand(bias),
                    activation,
                    null,
                    Calls.rows("quantized_matmul", y).operand())),
        x.codes(),
        x.scales(),
        x.offsets(),
        packed,
        bias);
  }

  /**
   * {@code activation(x weightᵀ + bias)}.
   *
   * @param x F32, BF16 or F16 [..., in_features]
   * @param packed the weight as {@link #pack} gives it
   * @param format of the weight
   * @param activations what becomes of x
   * @param bias F32 [out_features], or null for none
   * @param outFeatures the rows of the weight
   * @param activation applied to each element
   * @param dtype of the result: F32, BF16 or F16
   * @return [..., out_features]
   * @throws UnsupportedOperationException when a tape tracks x or the bias
   */
  public static Tensor linear(
      Tensor x,
      Tensor packed,
      BlockFormat format,
      QuantizedActivations activations,
      Tensor bias,
      long outFeatures,
      Activation activation,
      DType dtype) {
    Operand rows = Calls.rows("quantized_matmul", x).operand();
    Tape.refuse("quantized_matmul", x);
    Tape.refuse("quantized_matmul", bias);
    return Calls.run(
        Tensor.empty(x.device(), dtype, Calls.withLast(x, outFeatures)),
        (k, y) ->
            k.run(
                new QuantizedMatmul(
                    k.layout(format),
                    activations,
                    rows,
                    packed.operand(),
                    Calls.operand(bias),
                    activation,
                    Calls.rows("quantized_matmul", y).operand())),
        x,
        packed,
        bias);
  }

  /**
   * {@link #linear(Tensor, Tensor, BlockFormat, QuantizedActivations, Tensor, long, Activation,
   * DType)} of a weight that is not packed, to the bit: a panel of it is packed when it is
   * multiplied by, and not kept.
   *
   * @param x F32, BF16 or F16 [..., in_features]
   * @param blocks U8 [out_features, row_bytes], as {@link #quantize} gives them
   * @param format of the blocks
   * @param activations what becomes of x
   * @param bias F32 [out_features], or null for none
   * @param activation applied to each element
   * @param dtype of the result: F32, BF16 or F16
   * @return [..., out_features]
   * @throws UnsupportedOperationException when a tape tracks x or the bias
   */
  public static Tensor blockLinear(
      Tensor x,
      Tensor blocks,
      BlockFormat format,
      QuantizedActivations activations,
      Tensor bias,
      Activation activation,
      DType dtype) {
    Calls.axes("block_matmul", "blocks", blocks, 2);
    Operand rows = Calls.rows("block_matmul", x).operand();
    Tape.refuse("block_matmul", x);
    Tape.refuse("block_matmul", bias);
    return Calls.run(
        Tensor.empty(x.device(), dtype, Calls.withLast(x, blocks.size(0))),
        (k, y) ->
            k.run(
                new BlockMatmul(
                    format,
                    activations,
                    rows,
                    blocks.operand(),
                    Calls.operand(bias),
                    activation,
                    Calls.rows("block_matmul", y).operand())),
        x,
        blocks,
        bias);
  }

  /**
   * {@link #blockLinear} in simple ops.
   *
   * @param x F32, BF16 or F16 [..., in_features]
   * @param blocks U8 [out_features, row_bytes], as {@link #quantize} gives them
   * @param format of the blocks
   * @param activations what becomes of x
   * @param bias F32 [out_features], or null for none
   * @param activation applied to each element
   * @param dtype of the result: F32, BF16 or F16
   * @return [..., out_features]
   */
  public static Tensor plainBlockLinear(
      Tensor x,
      Tensor blocks,
      BlockFormat format,
      QuantizedActivations activations,
      Tensor bias,
      Activation activation,
      DType dtype) {
    try (Scope scope = Scope.open()) {
      Tensor weight = dequantize(blocks, format, x.size(x.rank() - 1));
      boolean sums = format.layout().scales() == PackedLayout.Scales.F32_SUM;
      return scope.keep(plainLinear(x, weight, sums, activations, bias, activation, dtype));
    }
  }
}
