package dev.gatun.nn;

import dev.gatun.ops.Norm;
import dev.gatun.ops.Quantization;
import dev.gatun.tensor.Tensor;

/**
 * Layer normalisation with a learned scale and shift.
 *
 * @param weight [features]
 * @param bias [features], or null
 * @param eps added to the variance
 */
public record LayerNorm(Tensor weight, Tensor bias, float eps) implements AutoCloseable {
  /**
   * {@return the norm of x, of its shape and dtype}
   *
   * @param x F32, BF16 or F16 [..., features]
   */
  public Tensor forward(Tensor x) {
    return Norm.layerNorm(x, null, weight, bias, eps);
  }

  /**
   * {@return the norm of x + residual, of their shape and dtype}
   *
   * @param x F32, BF16 or F16 [..., features]
   * @param residual as x, or null for none
   */
  public Tensor forward(Tensor x, Tensor residual) {
    return Norm.layerNorm(x, residual, weight, bias, eps);
  }

  /**
   * {@return the norm of x + residual, also as the codes that the next layer makes of it where it
   * does}
   *
   * @param x F32, BF16 or F16 [..., features]
   * @param residual as x, or null for none
   * @param next the layer that reads the norm; or null
   */
  public LayerInput forward(Tensor x, Tensor residual, Linear next) {
    if (next == null || !next.takesCodes()) {
      return new LayerInput(forward(x, residual), null);
    }
    Norm.Normed normed =
        Norm.layerNorm(
            x,
            residual,
            weight,
            bias,
            eps,
            false,
            next.takesOffsets() ? Quantization.Offsets.OF_TOKENS : Quantization.Offsets.NONE);
    return new LayerInput(normed.y(), normed.codes());
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
        (sum, codes) -> Norm.layerNorm(x, residual, weight, bias, eps, sum, codes));
  }

  @Override
  public void close() {
    weight.close();
    if (bias != null) {
      bias.close();
    }
  }
}
