package dev.gatun.nn;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.tensor.Tensor;
import java.util.function.Consumer;

/**
 * A layer that shows its inputs before it computes, such as to whoever counts what its weights are
 * multiplied by.
 *
 * @param layer owned by another
 * @param observer gets x [..., in_features], valid while it is called
 */
public record ObservedLinear(Linear layer, Consumer<Tensor> observer) implements Linear {
  @Override
  public Tensor forward(Tensor x, DType dtype) {
    observer.accept(x);
    return layer.forward(x, dtype);
  }

  @Override
  public DType between() {
    return layer.between();
  }

  @Override
  public long outFeatures() {
    return layer.outFeatures();
  }

  @Override
  public void close() {
    // Who owns the layer closes it.
  }
}
