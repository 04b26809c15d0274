package dev.gatun.nn;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.ops.Experts;
import dev.gatun.tensor.Tensor;

/** The same layer of each expert of a mixture, {@code x weightᵀ + bias}. */
public sealed interface ExpertsLinear extends AutoCloseable
    permits PackedExperts, TrainableExperts {
  /**
   * Each place's row through its expert.
   *
   * @param x [places, in_features] in the order of the experts; or where there are rows [tokens,
   *     in_features]
   * @param rows the routing's, or null
   * @param routing which places each expert has
   * @param dtype of the result: F32; also BF16 or F16 where the weights are not kept as F32
   * @return [places, out_features]
   */
  Tensor forward(Tensor x, Tensor rows, Experts.Routing routing, DType dtype);

  /** {@return the features that each expert gives} */
  long outFeatures();

  /** {@return what its result is kept as where only products read it} */
  DType between();

  @Override
  void close();
}
