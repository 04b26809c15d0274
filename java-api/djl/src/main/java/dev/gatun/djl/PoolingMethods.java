package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import dev.gatun.djl.host.Refusal;
import java.util.stream.IntStream;

/** Pooling of [batch, channels, ...]. */
interface PoolingMethods extends ExMethods {
  @Override
  default NDArray maxPool(Shape kernelShape, Shape stride, Shape padding, boolean ceilMode) {
    throw Refusal.unsupported("maxPool");
  }

  @Override
  default NDArray avgPool(
      Shape kernelShape, Shape stride, Shape padding, boolean ceilMode, boolean countIncludePad) {
    throw Refusal.unsupported("avgPool");
  }

  @Override
  default NDArray lpPool(
      float normType, Shape kernelShape, Shape stride, Shape padding, boolean ceilMode) {
    throw Refusal.unsupported("lpPool");
  }

  @Override
  default NDArray globalMaxPool() {
    return x().max(inner("globalMaxPool"), false);
  }

  @Override
  default NDArray globalAvgPool() {
    return x().mean(inner("globalAvgPool"), false);
  }

  @Override
  default NDArray globalLpPool(float normType) {
    return x().powerNorm(normType, inner("globalLpPool"), false);
  }

  private int[] inner(String op) {
    int rank = x().data().rank();
    if (rank < 3 || rank > 5) {
      throw new IllegalArgumentException(
          "%s: shape %s, expected [batch, channels] and 1 to 3 axes more"
              .formatted(op, x().getShape()));
    }
    return IntStream.range(2, rank).toArray();
  }
}
