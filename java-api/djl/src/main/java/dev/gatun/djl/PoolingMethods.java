package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import dev.gatun.djl.host.Types;
import dev.gatun.djl.host.Windows;
import java.util.stream.IntStream;

/** Pooling of [batch, channels, ...]. */
interface PoolingMethods extends ExMethods {
  private GatunNDArray pooled(Windows windows, Windows.Pool pool) {
    Shape shape = x().getShape();
    double[] y = windows.pool(x().numbers(), pool);
    int[] next = new int[1];
    return x().getManager()
        .drawn(
            windows.shape(shape.get(0), shape.get(1), shape.dimension()),
            Types.floating(x().getDataType()),
            () -> y[next[0]++]);
  }

  private Windows windows(String op, Shape kernel, Shape stride, Shape padding, boolean ceilMode) {
    return Windows.of(op, x().getShape(), kernel, stride, padding, new Shape(), ceilMode);
  }

  @Override
  default NDArray maxPool(Shape kernelShape, Shape stride, Shape padding, boolean ceilMode) {
    return pooled(
        windows("maxPool", kernelShape, stride, padding, ceilMode),
        (values, count, padded) -> {
          double most = Double.NEGATIVE_INFINITY;
          for (int i = 0; i < count; i++) {
            most = Math.max(most, values[i]);
          }
          return most;
        });
  }

  @Override
  default NDArray avgPool(
      Shape kernelShape, Shape stride, Shape padding, boolean ceilMode, boolean countIncludePad) {
    return pooled(
        windows("avgPool", kernelShape, stride, padding, ceilMode),
        (values, count, padded) -> sum(values, count) / (countIncludePad ? padded : count));
  }

  private static double sum(double[] values, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += values[i];
    }
    return sum;
  }

  @Override
  default NDArray lpPool(
      float normType, Shape kernelShape, Shape stride, Shape padding, boolean ceilMode) {
    Windows windows = windows("lpPool", kernelShape, stride, padding, ceilMode);
    int places = windows.kernel()[0] * windows.kernel()[1] * windows.kernel()[2];
    return pooled(
        windows,
        (values, count, padded) -> {
          for (int i = 0; i < count; i++) {
            values[i] = Math.pow(values[i], normType);
          }
          // PyTorch's: the mean of what is there, times the places of a whole window.
          double mean = sum(values, count) / padded;
          return Math.pow(Math.max(0, Math.abs(mean)) * places, 1.0 / normType) * Math.signum(mean);
        });
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
