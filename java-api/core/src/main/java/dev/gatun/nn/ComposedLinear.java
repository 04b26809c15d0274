package dev.gatun.nn;

import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.ops.Matmul;
import dev.gatun.ops.Packing;
import dev.gatun.tensor.Tensor;
import java.util.function.Supplier;

/**
 * A layer whose weight and bias are put together of parameters, by ops that gradients pass: anew
 * for each product.
 *
 * @param outFeatures of the weight
 * @param weight gives F32 [out_features, in_features]
 * @param bias gives F32 [out_features]
 * @param activation what becomes of its results
 * @param storage what products read: F32, BF16 or F16
 * @param between see {@link #between}
 */
public record ComposedLinear(
    long outFeatures,
    Supplier<Tensor> weight,
    Supplier<Tensor> bias,
    Activation activation,
    Storage storage,
    DType between)
    implements Linear {
  @Override
  public Tensor forward(Tensor x, DType dtype) {
    Tensor now = weight.get();
    Tensor packed;
    try (var _ = Tape.pause()) {
      packed = Packing.pack(now, storage);
    }
    return Matmul.linear(x, packed, now, bias.get(), activation, dtype);
  }

  @Override
  public void close() {
    // Who owns the parameters closes them.
  }
}
