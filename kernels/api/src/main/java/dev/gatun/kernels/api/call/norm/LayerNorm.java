package dev.gatun.kernels.api.call.norm;

import dev.gatun.kernels.api.call.matmul.QuantizeTokens;
import dev.gatun.kernels.api.call.matmul.TokenCodes;
import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * Layer normalisation (Ba et al., arXiv 1607.06450) with the residual sum fused: {@code s = x +
 * residual; y = (s - mean(s)) / √(var(s) + eps) · weight + bias}, mean and population variance over
 * the columns.
 *
 * @param x F32, BF16 or F16 [rows, columns] contiguous
 * @param residual of x's dtype [rows, columns] contiguous, or null for none
 * @param weight F32 or of x's dtype [columns] contiguous, or null for 1
 * @param bias F32 or of x's dtype [columns] contiguous, or null for 0
 * @param eps added to the variance, not negative
 * @param y of x's dtype [rows, columns] contiguous; may be x or the residual; null where codes are
 *     enough
 * @param sum receives s, of x's dtype [rows, columns] contiguous; or null
 * @param codes receives y, rounded to its dtype, as {@link QuantizeTokens} writes it; or null
 */
public record LayerNorm(
    Operand x,
    Operand residual,
    Operand weight,
    Operand bias,
    float eps,
    Operand y,
    Operand sum,
    TokenCodes codes)
    implements NormCall {

  private static final String NAME = "layer_norm";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public LayerNorm {
    DType dtype = Checks.floats(NAME, "x", x);
    Checks.operand(NAME, "x", x, dtype, 2);
    Checks.contiguous(NAME, "x", x);
    if (y != null || codes == null) {
      Checks.shaped(NAME, "y", y, dtype, x.size(0), x.size(1));
      Checks.contiguous(NAME, "y", y);
    }
    if (codes != null) {
      codes.check(NAME, x.size(0), x.size(1));
    }
    if (residual != null) {
      Checks.shaped(NAME, "residual", residual, dtype, x.size(0), x.size(1));
      Checks.contiguous(NAME, "residual", residual);
    }
    if (weight != null) {
      Checks.floatOr(NAME, "weight", weight, dtype, x.size(1));
    }
    if (bias != null) {
      Checks.floatOr(NAME, "bias", bias, dtype, x.size(1));
    }
    if (weight != null && bias != null && weight.dtype() != bias.dtype()) {
      throw Checks.bad(NAME, "bias is %s, expected %s as the weight", bias, weight.dtype());
    }
    if (sum != null) {
      Checks.shaped(NAME, "sum", sum, dtype, x.size(0), x.size(1));
      Checks.contiguous(NAME, "sum", sum);
    }
    if (!(eps >= 0)) {
      throw Checks.bad(NAME, "eps is %s, expected 0 or more", eps);
    }
    Checks.disjoint(
        new Operands(
            NAME,
            TokenCodes.inputs(codes, x, residual, weight, bias),
            TokenCodes.outputs(codes, y, sum)),
        x,
        residual);
  }

  /**
   * The norm without codes.
   *
   * @param x F32, BF16 or F16 [rows, columns] contiguous
   * @param residual of x's dtype [rows, columns] contiguous, added first; or null
   * @param weight F32 or of x's dtype [columns] contiguous
   * @param bias as weight, or null
   * @param eps added to the variance
   * @param y of x's dtype [rows, columns] contiguous
   * @param sum receives x + residual, of x's dtype [rows, columns] contiguous; or null
   */
  public LayerNorm(
      Operand x,
      Operand residual,
      Operand weight,
      Operand bias,
      float eps,
      Operand y,
      Operand sum) {
    this(x, residual, weight, bias, eps, y, sum, null);
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return TokenCodes.inputs(codes, x, residual, weight, bias);
  }

  @Override
  public List<Operand> outputs() {
    return TokenCodes.outputs(codes, y, sum);
  }
}
