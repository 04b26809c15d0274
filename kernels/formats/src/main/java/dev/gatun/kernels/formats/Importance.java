package dev.gatun.kernels.formats;

import dev.gatun.kernels.api.memory.BlockFormat;

/** What the squared errors of a block's elements weigh, as ggml's quantisers have it. */
final class Importance {
  /** Of the mean: what a column that is never met weighs at least. */
  private static final double LEAST = 1e-6;

  private Importance() {}

  /**
   * The weights of a block.
   *
   * @param x the row
   * @param importance of its columns
   * @param from where the block begins
   */
  static float[] weights(BlockFormat format, float[] x, float[] importance, int from, int size) {
    double sigma2 =
        switch (format.kind()) {
          case Q4_0, Q4_1, Q5_0, Q5_1 -> meanSquare(x, 0, x.length);
          case Q2_K -> meanSquare(x, from, size);
          default -> 2 * meanSquare(x, from, size);
        };
    double mean = 0;
    for (float each : importance) {
      mean += each / importance.length;
    }
    double least = mean > 0 ? LEAST * mean : 1;
    boolean alone = format.kind() == BlockFormat.Kind.Q6_K;
    float[] weights = new float[size];
    for (int i = 0; i < size; i++) {
      double square = (double) x[from + i] * x[from + i];
      double near = alone || sigma2 == 0 ? 1 : Math.sqrt(1 + square / sigma2);
      weights[i] = (float) (Math.max(importance[from + i], least) / (mean > 0 ? mean : 1) * near);
    }
    return weights;
  }

  private static double meanSquare(float[] x, int from, int size) {
    double sum = 0;
    for (int i = from; i < from + size; i++) {
      sum += (double) x[i] * x[i];
    }
    return sum / size;
  }
}
