package dev.gatun.nn;

import dev.gatun.ops.Layouts;
import dev.gatun.ops.Norm;
import dev.gatun.tensor.Tensor;

/**
 * Root mean square normalisation (arXiv 1910.07467) with a learned scale.
 *
 * @param weight [features]
 * @param shift added to the weight: 0, or 1 for models that keep the weight's distance from 1
 * @param eps added to the mean square
 */
public record RmsNorm(Tensor weight, float shift, float eps) implements AutoCloseable {
  /** x [..., features]. */
  public Tensor forward(Tensor x) {
    return Norm.rmsNorm(x, null, weight, shift, eps);
  }

  /**
   * The norm of x + residual, beside the sum.
   *
   * @param residual as x, or null for none
   * @param next the layer that reads the norm, which may take codes of it; or null
   */
  public NormedSum withSum(Tensor x, Tensor residual, Linear next) {
    return NormedSum.of(
        x,
        residual,
        next,
        (sum, codes) -> Norm.rmsNorm(x, residual, weight, shift, eps, sum, codes));
  }

  /**
   * Norms some heads of a packed projection in place, each alone.
   *
   * @param packed [tokens, heads * size], with heads as wide as the weight
   * @param first the first head
   * @param count how many
   */
  public void normHeads(Tensor packed, int first, int count) {
    long size = weight.size(0);
    Tensor heads =
        packed.strided(
            first * size,
            new long[] {packed.size(0), count, size},
            new long[] {packed.size(1), size, 1});
    Layouts.copy(forward(Layouts.contiguous(heads)), heads);
  }

  @Override
  public void close() {
    weight.close();
  }
}
