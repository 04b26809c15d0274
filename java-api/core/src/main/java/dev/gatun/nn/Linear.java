package dev.gatun.nn;

import dev.gatun.kernels.api.Activation;
import dev.gatun.kernels.api.DType;
import dev.gatun.ops.Ops;
import dev.gatun.ops.Quantization;
import dev.gatun.tensor.Tensor;

/** {@code activation(x weightᵀ + bias)}, the weight packed once. */
public final class Linear implements AutoCloseable {
  private final Tensor packed;
  private final Tensor bias;
  private final long outFeatures;
  private final Activation activation;
  private final WeightType type;

  /** The layer with its weight kept as F32. */
  public Linear(Tensor weight, Tensor bias, Activation activation) {
    this(weight, bias, activation, WeightType.F32);
  }

  /**
   * @param weight [out_features, in_features]; not needed afterwards
   * @param bias [out_features], owned from now on; or null
   * @param type what the weight is kept as; a quantised one's block must divide in_features
   */
  public Linear(Tensor weight, Tensor bias, Activation activation, WeightType type) {
    if (bias != null
        && (bias.rank() != 1 || weight.rank() == 2 && bias.size(0) != weight.size(0))) {
      throw new IllegalArgumentException(
          "linear: bias is %s, expected [out_features] of weight %s".formatted(bias, weight));
    }
    this.packed = pack(weight, type);
    this.bias = bias;
    this.outFeatures = weight.size(0);
    this.activation = activation;
    this.type = type;
  }

  private static Tensor pack(Tensor weight, WeightType type) {
    if (!type.isQuantized()) {
      return Ops.pack(weight, type.dtype());
    }
    try (Tensor blocks = Quantization.quantize(weight, type.format())) {
      return Quantization.pack(blocks, type.format(), weight.size(1));
    }
  }

  /** x [..., in_features] to F32 [..., out_features]. */
  public Tensor forward(Tensor x) {
    return forward(x, DType.F32);
  }

  /**
   * The same for what products alone will read, attention's among them: as narrow as they take it
   * without loss, {@link WeightType#between}.
   */
  public Tensor forwardNarrow(Tensor x) {
    return forward(x, type.between());
  }

  private Tensor forward(Tensor x, DType dtype) {
    return type.isQuantized()
        ? Quantization.linear(
            x, packed, type.format(), type.activations(), bias, outFeatures, activation, dtype)
        : Ops.linear(x, packed, bias, outFeatures, activation, dtype);
  }

  public long outFeatures() {
    return outFeatures;
  }

  @Override
  public void close() {
    packed.close();
    if (bias != null) {
      bias.close();
    }
  }
}
