package dev.gatun.ops;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.ActivationCodes;
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
    Calls.axes("quantize", "weight", weight, 2);
    return Calls.run(
        Tensor.empty(weight.device(), DType.U8, weight.size(0), format.rowBytes(weight.size(1))),
        (k, y) -> k.run(new Quantize(weight.operand(), format, y.operand())),
        weight);
  }

  /** The floats [out_features, in_features] that blocks [out_features, row_bytes] mean. */
  public static Tensor dequantize(Tensor blocks, BlockFormat format, long inFeatures) {
    Calls.axes("dequantize", "blocks", blocks, 2);
    return Calls.run(
        Tensor.empty(blocks.device(), DType.F32, blocks.size(0), inFeatures),
        (k, y) -> k.run(new Dequantize(format, blocks.operand(), y.operand())),
        blocks);
  }

  /** Blocks [out_features, row_bytes] in the form that {@link #linear} takes. */
  public static Tensor pack(Tensor blocks, BlockFormat format, long inFeatures) {
    Calls.axes("quantized_pack", "blocks", blocks, 2);
    long bytes = format.layout().packedBytes(blocks.size(0), inFeatures);
    return Calls.run(
        Tensor.empty(blocks.device(), DType.U8, bytes),
        (k, y) -> k.run(new QuantizedPack(format, inFeatures, blocks.operand(), y.operand())),
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
   */
  public static Codes quantizeTokens(Tensor x, Offsets offsets) {
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

  /** {@link #linear} of activations that are codes, with a weight that products per token read. */
  public static Tensor linear(
      Codes x,
      Tensor packed,
      BlockFormat format,
      Tensor bias,
      long outFeatures,
      Activation activation,
      DType dtype) {
    Operand rows = Calls.rows("quantized_matmul", x.codes()).operand();
    return Calls.run(
        Tensor.empty(packed.device(), dtype, Calls.withLast(x.codes(), outFeatures)),
        (k, y) ->
            k.run(
                new QuantizedMatmul(
                    format.layout(),
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
    Operand rows = Calls.rows("quantized_matmul", x).operand();
    return Calls.run(
        Tensor.empty(x.device(), dtype, Calls.withLast(x, outFeatures)),
        (k, y) ->
            k.run(
                new QuantizedMatmul(
                    format.layout(),
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
}
