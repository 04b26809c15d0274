package dev.gatun.nn;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.ops.Experts;
import dev.gatun.ops.Packing;
import dev.gatun.tensor.Tensor;
import java.util.List;

/** Experts' layers whose weights training changes, as those of a {@link TrainableLinear}. */
public final class TrainableExperts implements ExpertsLinear {
  private final Tensor weights;
  private final DType between;
  private final PackedCopy packed;

  /**
   * Layers of parameters, which stay their owner's.
   *
   * @param weights F32 [experts, out_features, in_features] without gaps: all of the parameters'
   *     numbers
   * @param parameters the weights', one after another
   * @param storage what products read: F32, BF16 or F16
   * @param between see {@link #between}
   */
  public TrainableExperts(
      Tensor weights, List<Parameter> parameters, Storage storage, DType between) {
    this.weights = weights;
    this.between = between;
    long experts = weights.size(0);
    Tensor room =
        Packing.allocateExperts(
                weights.device(), storage, experts, weights.size(1), weights.size(2))
            .detach();
    this.packed =
        new PackedCopy(
            room,
            parameters,
            all -> {
              long each = all.count() / experts;
              for (long e = 0; e < experts; e++) {
                Tensor weight =
                    weights.slice(0, e, e + 1).reshape(weights.size(1), weights.size(2));
                Packing.packOfExpert(weight, storage, all.slice(0, e * each, (e + 1) * each), 0);
              }
            });
  }

  @Override
  public Tensor forward(Tensor x, Tensor rows, Experts.Routing routing, DType dtype) {
    return Experts.linear(x, rows, routing, weights, packed.get(), Activation.NONE, dtype);
  }

  @Override
  public long outFeatures() {
    return weights.size(1);
  }

  @Override
  public DType between() {
    return between;
  }

  /** Gives back what products read; the parameters stay. */
  @Override
  public void close() {
    packed.close();
  }
}
