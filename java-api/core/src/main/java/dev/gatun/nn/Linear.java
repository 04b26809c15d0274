package dev.gatun.nn;

import dev.gatun.kernels.api.Activation;
import dev.gatun.kernels.api.DType;
import dev.gatun.ops.Ops;
import dev.gatun.tensor.Tensor;

/** {@code activation(x weightᵀ + bias)}, the weight packed once. */
public final class Linear implements AutoCloseable {
  private final Tensor packed;
  private final Tensor bias;
  private final long outFeatures;
  private final Activation activation;

  /** The layer with its weight kept as F32. */
  public Linear(Tensor weight, Tensor bias, Activation activation) {
    this(weight, bias, activation, DType.F32);
  }

  /**
   * @param weight [out_features, in_features]; not needed afterwards
   * @param bias [out_features], owned from now on; or null
   * @param dtype what the weight is kept as: F32, BF16 or F16
   */
  public Linear(Tensor weight, Tensor bias, Activation activation, DType dtype) {
    if (bias != null
        && (bias.rank() != 1 || weight.rank() == 2 && bias.size(0) != weight.size(0))) {
      throw new IllegalArgumentException(
          "linear: bias is %s, expected [out_features] of weight %s".formatted(bias, weight));
    }
    this.packed = Ops.pack(weight, dtype);
    this.bias = bias;
    this.outFeatures = weight.size(0);
    this.activation = activation;
  }

  /** x [..., in_features] to [..., out_features]. */
  public Tensor forward(Tensor x) {
    return Ops.linear(x, packed, bias, outFeatures, activation);
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
