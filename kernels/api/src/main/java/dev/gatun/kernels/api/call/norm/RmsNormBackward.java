package dev.gatun.kernels.api.call.norm;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * The gradients of {@link RmsNorm} (Zhang and Sennrich, arXiv 1910.07467), the one of what was
 * normalised with what reaches it by other ways added in the same pass. With {@code r = 1 /
 * √(mean(x²) + eps)}, computed again, {@code h = x · r} and {@code g = dy · (shift + weight)}:
 *
 * <pre>
 * dx      = r · (g - h · mean(g · h)) + added
 * dweight = Σ dy · h      over the rows
 * </pre>
 *
 * The sum over rows is made in an order that follows from the shape alone. Of an output that is
 * null nothing is computed; one must be there.
 *
 * @param dy the gradient of the norm, F32, BF16 or F16 [rows, columns] contiguous
 * @param x what was normalised, the sum where there was a residual: of dy's dtype [rows, columns]
 *     contiguous
 * @param weight F32 or of dy's dtype [columns] contiguous
 * @param shift added to the weight
 * @param eps added to the mean square, not negative
 * @param added the gradient that x has besides, of dy's dtype [rows, columns] contiguous; or null
 * @param dx of dy's dtype [rows, columns] contiguous, may be dy or added; or null
 * @param dweight F32 [columns] contiguous, or null
 */
public record RmsNormBackward(
    Operand dy,
    Operand x,
    Operand weight,
    float shift,
    float eps,
    Operand added,
    Operand dx,
    Operand dweight)
    implements NormCall {
  private static final String NAME = "rms_norm_backward";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public RmsNormBackward {
    DType dtype = LayerNormBackward.rows(NAME, dy, x, added, dx);
    Checks.floatOr(NAME, "weight", weight, dtype, x.size(1));
    LayerNormBackward.parameter(NAME, "dweight", dweight, x.size(1));
    if (dx == null && dweight == null) {
      throw Checks.bad(NAME, "dx and dweight are missing, expected one of them");
    }
    if (!(eps >= 0) || !Float.isFinite(shift)) {
      throw Checks.bad(NAME, "eps is %s and shift %s, expected 0 or more, and finite", eps, shift);
    }
    Checks.disjoint(
        new Operands(NAME, Checks.present(dy, x, weight, added), Checks.present(dx, dweight)),
        dy,
        added);
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(dy, x, weight, added);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(dx, dweight);
  }
}
