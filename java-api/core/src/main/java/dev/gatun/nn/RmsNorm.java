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
public record RmsNorm(Tensor weight, float shift, float eps) implements HeadNorm, AutoCloseable {
  /**
   * {@return the norm of x, of its shape and dtype}
   *
   * @param x F32, BF16 or F16 [..., features]
   */
  public Tensor forward(Tensor x) {
    return Norm.rmsNorm(x, null, weight, shift, eps);
  }

  /**
   * {@return the norm of x + residual, beside the sum}
   *
   * @param x F32, BF16 or F16 [..., features]
   * @param residual as x, or null for none; the sum is x itself then
   * @param next the layer that reads the norm, which may take codes of it; or null
   */
  public NormedSum withSum(Tensor x, Tensor residual, Linear next) {
    return NormedSum.of(
        x,
        residual,
        next,
        (sum, codes) -> Norm.rmsNorm(x, residual, weight, shift, eps, sum, codes));
  }

  @Override
  public Tensor ofHeads(Tensor x) {
    return forward(Layouts.contiguous(x));
  }

  @Override
  public void close() {
    weight.close();
  }
}
