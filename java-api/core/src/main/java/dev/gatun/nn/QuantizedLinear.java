package dev.gatun.nn;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.PackedLayout;
import dev.gatun.ops.Indexing;
import dev.gatun.ops.Layouts;
import dev.gatun.ops.Quantization;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Tensor;

/**
 * A layer whose weight is in blocks.
 *
 * @param packed the weight as {@link dev.gatun.ops.Packing} gives it
 * @param format of the weight
 * @param activations what becomes of the layer's input
 * @param order I64 [in_features], the input feature at each place of the weight's rows; or null
 * @param bias F32 [out_features], or null
 */
record QuantizedLinear(
    Tensor packed,
    BlockFormat format,
    QuantizedActivations activations,
    Tensor order,
    Tensor bias,
    long outFeatures,
    Activation activation,
    DType between)
    implements Linear {
  QuantizedLinear {
    if (order != null && order.rank() != 1) {
      throw new IllegalArgumentException(
          "linear: order is %s, expected [in_features]".formatted(order));
    }
  }

  @Override
  public Tensor forward(Tensor x, DType dtype) {
    if (order == null) {
      return ordered(x, dtype);
    }
    Tensor whole = x.operand().isContiguous() ? x : Layouts.contiguous(x);
    try (Tensor picked = Indexing.indexSelect(whole, -1, Ids.known(order, whole.size(-1)))) {
      return ordered(picked, dtype);
    }
  }

  private Tensor ordered(Tensor x, DType dtype) {
    return Quantization.linear(
        x, packed, format, activations, bias, outFeatures, activation, dtype);
  }

  @Override
  public Tensor forwardNarrow(LayerInput x) {
    return x.codes() == null
        ? forward(x.x(), between)
        : Quantization.linear(x.codes(), packed, format, bias, outFeatures, activation, between);
  }

  @Override
  public boolean takesCodes() {
    return activations == QuantizedActivations.INT8_PER_TOKEN && order == null;
  }

  @Override
  public boolean takesOffsets() {
    return format.layout().scales() == PackedLayout.Scales.F32_SUM;
  }

  @Override
  public void close() {
    for (Tensor part : new Tensor[] {packed, order, bias}) {
      if (part != null) {
        part.close();
      }
    }
  }
}
