package dev.gatun.nn;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.ops.Matmul;
import dev.gatun.tensor.Tensor;

/**
 * A layer whose weight's elements are numbers of their own.
 *
 * @param packed the weight as {@link dev.gatun.ops.Packing} gives it
 * @param bias F32 [out_features], or null
 */
record DenseLinear(
    Tensor packed, Tensor bias, long outFeatures, Activation activation, DType between)
    implements Linear {
  @Override
  public Tensor forward(Tensor x, DType dtype) {
    return Matmul.linear(x, packed, bias, outFeatures, activation, dtype);
  }

  @Override
  public void close() {
    packed.close();
    if (bias != null) {
      bias.close();
    }
  }
}
