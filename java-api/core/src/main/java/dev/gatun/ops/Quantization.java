package dev.gatun.ops;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.ActivationCodes;
import dev.gatun.kernels.api.call.matmul.Dequantize;
import dev.gatun.kernels.api.call.matmul.Quantize;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.QuantizedPack;
import dev.gatun.kernels.api.call.matmul.TokenCodes;
import dev.gatun.kernels.api.call.norm.LayerNorm;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;

/** Operations on quantised weights. */
public final class Quantization {
  private Quantization() {}

  /**
   * A weight [out_features, in_features] as rows of blocks, U8 [out_features, row_bytes].
   *
   * @throws IllegalArgumentException when the format's block does not divide in_features, or an
   *     element is not finite
   */
  public static Tensor quantize(Tensor weight, BlockFormat format) {
    Ops.axes("quantize", "weight", weight, 2);
    return Ops.run(
        Tensor.empty(weight.device(), DType.U8, weight.size(0), format.rowBytes(weight.size(1))),
        (k, y) -> k.run(new Quantize(weight.operand(), format, y.operand())),
        weight);
  }

  /** The floats [out_features, in_features] that blocks [out_features, row_bytes] mean. */
  public static Tensor dequantize(Tensor blocks, BlockFormat format, long inFeatures) {
    Ops.axes("dequantize", "blocks", blocks, 2);
    return Ops.run(
        Tensor.empty(blocks.device(), DType.F32, blocks.size(0), inFeatures),
        (k, y) -> k.run(new Dequantize(format, blocks.operand(), y.operand())),
        blocks);
  }

  /** Blocks [out_features, row_bytes] in the form that {@link #linear} takes. */
  public static Tensor pack(Tensor blocks, BlockFormat format, long inFeatures) {
    Ops.axes("quantized_pack", "blocks", blocks, 2);
    long bytes = format.layout().packedBytes(blocks.size(0), inFeatures);
    return Ops.run(
        Tensor.empty(blocks.device(), DType.U8, bytes),
        (k, y) -> k.run(new QuantizedPack(format, inFeatures, blocks.operand(), y.operand())),
        blocks);
  }

  /**
   * Activations that are signed bytes with a scale a token.
   *
   * @param codes I8 [..., features]
   * @param scales F32 [rows]
   * @param offsets F32 [rows], what codes of 0 mean, or null where that is 0
   */
  public record Codes(Tensor codes, Tensor scales, Tensor offsets) {
    private ActivationCodes meaning() {
      return new ActivationCodes(scales.operand(), Ops.operand(offsets));
    }
  }

  /**
   * What a norm gives.
   *
   * @param y as {@link Ops#layerNorm} gives it
   * @param codes of y
   */
  public record Normed(Tensor y, Codes codes) {}

  /**
   * {@code layer_norm(x + residual)} and its codes at once; residual, weight and bias may be null.
   *
   * @param withOffsets whether codes span what lies between a token's extremes, as products with
   *     weights that keep their sums read them
   */
  public static Normed layerNorm(
      Tensor x, Tensor residual, Tensor weight, Tensor bias, float eps, boolean withOffsets) {
    Operand rows = Ops.rows("layer_norm", x).operand();
    Operand added = residual == null ? null : Ops.rows("layer_norm", residual).operand();
    try (Scope scope = Scope.open()) {
      Codes codes =
          new Codes(
              Tensor.empty(x.device(), DType.I8, x.shape()),
              Tensor.empty(x.device(), DType.F32, rows.size(0)),
              withOffsets ? Tensor.empty(x.device(), DType.F32, rows.size(0)) : null);
      TokenCodes to =
          new TokenCodes(Ops.rows("layer_norm", codes.codes()).operand(), codes.meaning(), false);
      Tensor y =
          Ops.run(
              Tensor.empty(x.device(), x.dtype(), x.shape()),
              (k, out) ->
                  k.run(
                      new LayerNorm(
                          rows,
                          added,
                          Ops.operand(weight),
                          Ops.operand(bias),
                          eps,
                          Ops.rows("layer_norm", out).operand(),
                          null,
                          to)),
              x,
              residual,
              weight,
              bias,
              codes.codes(),
              codes.scales(),
              codes.offsets());
      scope.keep(codes.codes());
      scope.keep(codes.scales());
      scope.keep(codes.offsets());
      return new Normed(scope.keep(y), codes);
    }
  }

  /** {@link #linear} of activations that are codes, with a weight that products per token read. */
  public static Tensor linear(
      Codes x,
      Tensor packed,
      BlockFormat format,
      Tensor bias,
      long outFeatures,
      Activation activation,
      DType dtype) {
    Operand rows = Ops.rows("quantized_matmul", x.codes()).operand();
    return Ops.run(
        Tensor.empty(packed.device(), dtype, Ops.withLast(x.codes(), outFeatures)),
        (k, y) ->
            k.run(
                new QuantizedMatmul(
                    format.layout(),
                    QuantizedActivations.INT8_PER_TOKEN,
                    rows,
                    x.meaning(),
                    packed.operand(),
                    Ops.operand(bias),
                    activation,
                    null,
                    Ops.rows("quantized_matmul", y).operand())),
        x.codes(),
        x.scales(),
        x.offsets(),
        packed,
        bias);
  }

  /**
   * {@code activation(x weightᵀ + bias)}.
   *
   * @param x [..., in_features]
   * @param packed the weight as {@link #pack} gives it
   * @param format of the weight
   * @param activations what becomes of x
   * @param bias [out_features], or null
   * @param dtype of the result: F32, BF16 or F16
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
    Operand rows = Ops.rows("quantized_matmul", x).operand();
    return Ops.run(
        Tensor.empty(x.device(), dtype, Ops.withLast(x, outFeatures)),
        (k, y) ->
            k.run(
                new QuantizedMatmul(
                    format.layout(),
                    activations,
                    rows,
                    packed.operand(),
                    Ops.operand(bias),
                    activation,
                    Ops.rows("quantized_matmul", y).operand())),
        x,
        packed,
        bias);
  }
}
