package dev.gatun.nn;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.ops.Matmul;
import dev.gatun.tensor.Tensor;

/**
 * A layer whose weight's elements are numbers of their own.
 *
 * @param weight as {@link dev.gatun.ops.Packing} gives it, or [out_features, in_features]
 * @param bias F32 [out_features], or null
 */
record DenseLinear(
    Tensor weight, Tensor bias, long outFeatures, Activation activation, DType between)
    implements Linear {
  @Override
  public Tensor forward(Tensor x, DType dtype) {
    return Matmul.linear(x, weight, bias, outFeatures, activation, dtype);
  }

  @Override
  public void close() {
    weight.close();
    if (bias != null) {
      bias.close();
    }
  }
}
