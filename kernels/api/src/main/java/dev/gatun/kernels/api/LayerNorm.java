package dev.gatun.kernels.api;

import java.util.List;

/**
 * Layer normalisation (Ba et al., arXiv 1607.06450) with the residual sum fused: {@code s = x +
 * residual; y = (s - mean(s)) / √(var(s) + eps) · weight + bias}, mean and population variance over
 * the columns.
 *
 * @param x F32 [rows, columns] contiguous
 * @param residual F32 [rows, columns] contiguous, or null for none
 * @param weight F32 [columns] contiguous, or null for 1
 * @param bias F32 [columns] contiguous, or null for 0
 * @param eps added to the variance, not negative
 * @param y F32 [rows, columns] contiguous; may be x or the residual
 * @param sum receives s, F32 [rows, columns] contiguous; or null
 */
public record LayerNorm(
    Operand x, Operand residual, Operand weight, Operand bias, float eps, Operand y, Operand sum)
    implements KernelCall {

  private static final String NAME = "layer_norm";

  public LayerNorm {
    Checks.operand(NAME, "x", x, DType.F32, 2);
    Checks.contiguous(NAME, "x", x);
    Checks.shaped(NAME, "y", y, DType.F32, x.size(0), x.size(1));
    Checks.contiguous(NAME, "y", y);
    if (residual != null) {
      Checks.shaped(NAME, "residual", residual, DType.F32, x.size(0), x.size(1));
      Checks.contiguous(NAME, "residual", residual);
    }
    if (weight != null) {
      Checks.shaped(NAME, "weight", weight, DType.F32, x.size(1));
      Checks.contiguous(NAME, "weight", weight);
    }
    if (bias != null) {
      Checks.shaped(NAME, "bias", bias, DType.F32, x.size(1));
      Checks.contiguous(NAME, "bias", bias);
    }
    if (sum != null) {
      Checks.shaped(NAME, "sum", sum, DType.F32, x.size(0), x.size(1));
      Checks.contiguous(NAME, "sum", sum);
    }
    if (!(eps >= 0)) {
      throw Checks.bad(NAME, "eps is %s, expected 0 or more", eps);
    }
    Checks.disjoint(
        new Operands(NAME, Checks.present(x, residual, weight, bias), Checks.present(y, sum)),
        x,
        residual);
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(x, residual, weight, bias);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(y, sum);
  }
}
