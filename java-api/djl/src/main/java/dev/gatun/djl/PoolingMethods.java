package dev.gatun.djl;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import dev.gatun.djl.Tape.Keeps;
import dev.gatun.djl.host.Types;
import dev.gatun.djl.host.Windows;
import java.util.Arrays;
import java.util.stream.IntStream;

/** Pooling of [batch, channels, ...]. */
interface PoolingMethods extends ExMethods {
  private GatunNDArray pooled(
      String op, DataType type, Windows windows, Windows.Pool pool, Windows.Slopes slopes) {
    Shape shape = x().getShape();
    double[] y = windows.pool(x().numbers(), pool);
    Shape result = windows.shape(shape.get(0), shape.get(1), shape.dimension());
    return Tape.record(
        drawn(x().getManager(), result, type, y),
        op,
        Keeps.INPUTS,
        step -> {
          double[] x = step.input(0).numbers();
          double[] sums = windows.poolGradient(x, step.gradient().numbers(), slopes);
          step.give(0, drawn(step.scratch(), shape, type, sums));
        },
        x());
  }

  private static GatunNDArray drawn(
      GatunNDManager manager, Shape shape, DataType type, double... numbers) {
    int[] next = new int[1];
    return manager.drawn(shape, type, () -> numbers[next[0]++]);
  }

  private Windows windows(String op, Shape kernel, Shape stride, Shape padding, boolean ceilMode) {
    return Windows.of(op, x().getShape(), kernel, stride, padding, new Shape(), ceilMode);
  }

  @Override
  default NDArray maxPool(Shape kernelShape, Shape stride, Shape padding, boolean ceilMode) {
    DataType type = x().getDataType();
    return pooled(
        "maxPool",
        type == DataType.BOOLEAN ? DataType.FLOAT32 : type,
        windows("maxPool", kernelShape, stride, padding, ceilMode),
        (values, count, padded) -> {
          double most = Double.NEGATIVE_INFINITY;
          for (int i = 0; i < count; i++) {
            most = Math.max(most, values[i]);
          }
          return most;
        },
        (values, count, padded, gradient) -> {
          int most = 0;
          for (int i = 1; i < count; i++) {
            if (values[i] > values[most] || Double.isNaN(values[i])) {
              most = i;
            }
          }
          Arrays.fill(values, 0);
          values[most] = gradient;
        });
  }

  @Override
  default NDArray avgPool(
      Shape kernelShape, Shape stride, Shape padding, boolean ceilMode, boolean countIncludePad) {
    DataType type = x().getDataType();
    return pooled(
        "avgPool",
        // PyTorch's means of INT64 are cut to it.
        type == DataType.INT64 ? type : Types.floating(type),
        windows("avgPool", kernelShape, stride, padding, ceilMode),
        (values, count, padded) -> sum(values, count) / (countIncludePad ? padded : count),
        (values, count, padded, gradient) ->
            Arrays.fill(values, gradient / (countIncludePad ? padded : count)));
  }

  private static double sum(double[] values, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += values[i];
    }
    return sum;
  }

  /** The mean of the powers of what is there, times the places of a whole window, as PyTorch's. */
  private static double powers(double p, double[] values, int count, double padded, double places) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += Math.pow(values[i], p);
    }
    return sum / padded * places;
  }

  @Override
  default NDArray lpPool(
      float normType, Shape kernelShape, Shape stride, Shape padding, boolean ceilMode) {
    Windows windows = windows("lpPool", kernelShape, stride, padding, ceilMode);
    double p = normType;
    double places = windows.taps();
    return pooled(
        "lpPool",
        Types.floating(x().getDataType()),
        windows,
        (values, count, padded) -> {
          double total = powers(p, values, count, padded, places);
          return Math.pow(Math.abs(total), 1 / p) * Math.signum(total);
        },
        (values, count, padded, gradient) -> {
          double total = powers(p, values, count, padded, places);
          double slope =
              total == 0 ? 0 : gradient * Math.pow(Math.abs(total), 1 / p - 1) * places / padded;
          for (int i = 0; i < count; i++) {
            values[i] = slope * Math.pow(values[i], p - 1);
          }
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
    // That of one window, as PyTorch has it: powers keep their signs, unlike those of a norm.
    int axes = inner("globalLpPool").length;
    Shape shape = x().getShape();
    Shape window = shape.slice(2, 2 + axes);
    try (NDArray pooled = lpPool(normType, window, window, new Shape(), false)) {
      return pooled.reshape(shape.slice(0, 2));
    }
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
