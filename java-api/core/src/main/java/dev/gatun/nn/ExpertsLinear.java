package dev.gatun.nn;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.ops.Experts;
import dev.gatun.tensor.Tensor;

/**
 * The same layer of each expert of a mixture, {@code x weightᵀ}, their weights packed one after
 * another.
 *
 * @param packed the weights as {@link dev.gatun.ops.Packing} gives them to experts
 * @param storage of the packed weights
 * @param activations what becomes of the input where the weights are in blocks
 * @param outFeatures of each expert
 * @param between what its result is kept as where only products read it
 */
public record ExpertsLinear(
    Tensor packed,
    Storage storage,
    QuantizedActivations activations,
    long outFeatures,
    DType between)
    implements AutoCloseable {
  /**
   * Each place's row through its expert.
   *
   * @param x [places, in_features] in the order of the experts; or where there are rows [tokens,
   *     in_features]
   * @param rows the routing's, or null
   * @param dtype of the result: F32; also BF16 or F16 where the weights are not kept as F32
   * @return [places, out_features]
   */
  public Tensor forward(Tensor x, Tensor rows, Experts.Routing routing, DType dtype) {
    return switch (storage) {
      case Storage.Dense _ ->
          Experts.linear(x, rows, routing, packed, null, outFeatures, Activation.NONE, dtype);
      case Storage.Blocks(var format) ->
          Experts.linear(
              x,
              rows,
              routing,
              packed,
              format,
              activations,
              null,
              outFeatures,
              Activation.NONE,
              dtype);
    };
  }

  @Override
  public void close() {
    packed.close();
  }
}
