package dev.gatun.kernels.api.call.norm;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * The gradients of {@link LayerNorm} (Ba et al., arXiv 1607.06450), the one of what was normalised
 * with what reaches it by other ways added in the same pass. With {@code r = 1 / √(var(x) + eps)},
 * {@code h = (x - mean(x)) · r}, both computed again, and {@code g = dy · weight}:
 *
 * <pre>
 * dx      = r · (g - mean(g) - h · mean(g · h)) + added
 * dweight = Σ dy · h      over the rows
 * dbias   = Σ dy          over the rows
 * </pre>
 *
 * The sums over rows are made in an order that follows from the shape alone. Of outputs that are
 * null nothing is computed; one must be there.
 *
 * @param dy the gradient of the norm, F32, BF16 or F16 [rows, columns] contiguous
 * @param x what was normalised, the sum where there was a residual: of dy's dtype [rows, columns]
 *     contiguous
 * @param weight F32 or of dy's dtype [columns] contiguous, or null for 1
 * @param eps added to the variance, not negative
 * @param added the gradient that x has besides, of dy's dtype [rows, columns] contiguous; or null
 * @param dx of dy's dtype [rows, columns] contiguous, may be dy or added; or null
 * @param dweight F32 [columns] contiguous, or null
 * @param dbias F32 [columns] contiguous, or null
 */
public record LayerNormBackward(
    Operand dy,
    Operand x,
    Operand weight,
    float eps,
    Operand added,
    Operand dx,
    Operand dweight,
    Operand dbias)
    implements NormCall {
  private static final String NAME = "layer_norm_backward";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public LayerNormBackward {
    DType dtype = rows(NAME, dy, x, added, dx);
    if (weight != null) {
      Checks.floatOr(NAME, "weight", weight, dtype, x.size(1));
    }
    parameter(NAME, "dweight", dweight, x.size(1));
    parameter(NAME, "dbias", dbias, x.size(1));
    if (dx == null && dweight == null && dbias == null) {
      throw Checks.bad(NAME, "dx, dweight and dbias are missing, expected one of them");
    }
    if (!(eps >= 0)) {
      throw Checks.bad(NAME, "eps is %s, expected 0 or more", eps);
    }
    Checks.disjoint(
        new Operands(
            NAME, Checks.present(dy, x, weight, added), Checks.present(dx, dweight, dbias)),
        dy,
        added);
  }

  /** Checks what a backward norm has of each row, and gives its dtype. */
  static DType rows(String name, Operand dy, Operand x, Operand added, Operand dx) {
    DType dtype = Checks.floats(name, "dy", dy);
    Checks.operand(name, "dy", dy, dtype, 2);
    Checks.contiguous(name, "dy", dy);
    Checks.shaped(name, "x", x, dtype, dy.size(0), dy.size(1));
    Checks.contiguous(name, "x", x);
    if (added != null) {
      Checks.shaped(name, "added", added, dtype, dy.size(0), dy.size(1));
      Checks.contiguous(name, "added", added);
    }
    if (dx != null) {
      Checks.shaped(name, "dx", dx, dtype, dy.size(0), dy.size(1));
      Checks.contiguous(name, "dx", dx);
    }
    return dtype;
  }

  /** Checks the gradient of a parameter, where there is one. */
  static void parameter(String name, String what, Operand gradient, long columns) {
    if (gradient != null) {
      Checks.shaped(name, what, gradient, DType.F32, columns);
      Checks.contiguous(name, what, gradient);
    }
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
    return Checks.present(dx, dweight, dbias);
  }
}
