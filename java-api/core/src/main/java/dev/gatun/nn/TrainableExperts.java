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
  private final List<Tensor> weights;
  private final DType between;
  private final PackedCopy packed;

  /**
   * Layers of parameters, which stay their owner's.
   *
   * @param weights of the experts, each F32 [out_features, in_features] of any strides: all of the
   *     parameters' numbers. One without tokens has no gradient, or one of zeros where its memory
   *     is others' too
   * @param parameters the weights', one after another
   * @param storage what products read: F32, BF16 or F16
   * @param between see {@link #between}
   */
  public TrainableExperts(
      List<Tensor> weights, List<Parameter> parameters, Storage storage, DType between) {
    this.weights = weights;
    this.between = between;
    Tensor first = weights.getFirst();
    Tensor room =
        Packing.allocateExperts(
                first.device(), storage, weights.size(), first.size(0), first.size(1))
            .detach();
    this.packed =
        new PackedCopy(
            room,
            parameters,
            all -> {
              long each = all.count() / weights.size();
              for (int e = 0; e < weights.size(); e++) {
                Tensor to = all.slice(0, e * each, (e + 1) * each);
                Packing.packOfExpert(weights.get(e), storage, to, 0);
              }
            });
  }

  @Override
  public Tensor forward(Tensor x, Tensor rows, Experts.Routing routing, DType dtype) {
    return Experts.linear(x, rows, routing, packed.get(), weights, null, Activation.NONE, dtype);
  }

  @Override
  public long outFeatures() {
    return weights.getFirst().size(0);
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
