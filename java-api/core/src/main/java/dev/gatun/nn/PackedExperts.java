package dev.gatun.nn;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.matmul.QuantizedActivations;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.ops.Experts;
import dev.gatun.tensor.Tensor;

/**
 * Experts' layers whose weights were packed one after another, once.
 *
 * @param packed the weights as {@link dev.gatun.ops.Packing} gives them to experts
 * @param bias F32 [experts, out_features], its owner's; or null
 * @param storage of the packed weights
 * @param activations what becomes of the input where the weights are in blocks
 * @param outFeatures of each expert
 * @param between what its result is kept as where only products read it
 */
public record PackedExperts(
    Tensor packed,
    Tensor bias,
    Storage storage,
    QuantizedActivations activations,
    long outFeatures,
    DType between)
    implements ExpertsLinear {
  @Override
  public Tensor forward(Tensor x, Tensor rows, Experts.Routing routing, DType dtype) {
    return switch (storage) {
      case Storage.Dense _ ->
          Experts.linear(x, rows, routing, packed, bias, outFeatures, Activation.NONE, dtype);
      case Storage.Blocks(var format) ->
          Experts.linear(
              x,
              rows,
              routing,
              packed,
              format,
              activations,
              bias,
              outFeatures,
              Activation.NONE,
              dtype);
    };
  }

  /** Gives the weights back. */
  @Override
  public void close() {
    packed.close();
  }
}
