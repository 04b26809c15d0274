package dev.gatun.nn;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.ops.Indexing;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Tensor;

/**
 * A layer whose output features the file has in another order than the model, which training keeps
 * as the file has them: the results change places.
 *
 * @param layer owned from now on
 * @param order the layer's feature at each place of the results, owned from now on
 */
public record ReorderedLinear(Linear layer, Ids order) implements Linear {
  @Override
  public Tensor forward(Tensor x, DType dtype) {
    return Indexing.indexSelect(layer.forward(x, dtype), -1, order);
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
    layer.close();
    order.close();
  }
}
