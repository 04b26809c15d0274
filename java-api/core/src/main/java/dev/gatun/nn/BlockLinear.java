package dev.gatun.nn;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.ops.Quantization;
import dev.gatun.tensor.Tensor;

/**
 * A layer whose weight is in blocks as a file has them, which may be the mapped file's own bytes:
 * it gives what the layer with the packed weight gives, to the bit.
 *
 * @param blocks U8 [out_features, row_bytes], owned from now on
 * @param format of the blocks
 * @param activations what becomes of the layer's input
 * @param bias F32 [out_features], owned from now on; or null
 * @param activation what becomes of its results
 * @param between see {@link #between}
 */
public record BlockLinear(
    Tensor blocks,
    BlockFormat format,
    QuantizedActivations activations,
    Tensor bias,
    Activation activation,
    DType between)
    implements Linear {
  @Override
  public Tensor forward(Tensor x, DType dtype) {
    return Quantization.blockLinear(x, blocks, format, activations, bias, activation, dtype);
  }

  @Override
  public long outFeatures() {
    return blocks.size(0);
  }

  @Override
  public void close() {
    blocks.close();
    if (bias != null) {
      bias.close();
    }
  }
}
