package dev.gatun.kernels.api.call.optim;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * A step of Adafactor (Shazeer and Stern, arXiv 1804.04235), as {@code
 * transformers.optimization.Adafactor} makes it, over a list of parameters. With the gradient g of
 * a parameter p times what {@link OptimizerStep} says of scale, norm and maxNorm, {@code kept = 1 -
 * stepᵈ} of the decay rate d, and rms the root mean square:
 *
 * <p>of a matrix, {@code row = kept · row + (1 - kept) mean(g² + eps1)} over its columns, {@code
 * column} likewise over its rows, and {@code u = g / √(row / mean(row)) / √column}; an axis before
 * the last two has matrices of its own. Of anything else {@code v = kept · v + (1 - kept)(g² +
 * eps1)} and {@code u = g / √v}.
 *
 * <p>{@code own = rate · max(eps2, rms(p))}, or the rate itself where parameters do not scale it;
 * {@code u *= own / max(1, rms(u) / clipThreshold)}, rms(u) being that of the whole parameter; with
 * beta1 {@code m = beta1 · m + (1 - beta1) u} takes u's place; {@code p = p (1 - decay · own) - u}.
 *
 * <p>Where norm is there and not a finite number nothing is changed at all, as nothing is of a
 * parameter without elements. Sums run in an order that follows from the shapes.
 *
 * @param rule the settings
 * @param step its number, from 1 on
 * @param parameters what is changed, none of which overlaps another; their states are those of
 *     {@link AdafactorRule#states}
 * @param scale of the gradients: 1, or 1 divided by what the loss was multiplied by
 * @param norm F32 [1] of the scaled gradients, as {@link GlobalNorm} gives it; or null for steps
 *     that neither clip nor skip
 * @param maxNorm the norm that gradients are clipped to, infinity for none
 */
public record AdafactorStep(
    AdafactorRule rule,
    long step,
    List<ParameterUpdate> parameters,
    float scale,
    Operand norm,
    float maxNorm)
    implements OptimCall {
  static final String NAME = "adafactor_step";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public AdafactorStep {
    Checks.required(NAME, "rule", rule);
    StepChecks checks = new StepChecks(NAME, rule::states);
    checks.settings(step, scale, norm, maxNorm);
    parameters = checks.parameters(parameters, norm);
  }

  /**
   * How a parameter is a list of matrices.
   *
   * @param batches matrices, 1 of a parameter with fewer than two axes
   * @param rows of each, 1 of such a parameter
   * @param columns of each
   */
  public record Matrices(long batches, long rows, long columns) {
    /**
     * {@return those of a parameter}
     *
     * @param parameter of any shape
     */
    public static Matrices of(Operand parameter) {
      int rank = parameter.rank();
      if (rank < 2) {
        return new Matrices(1, 1, parameter.count());
      }
      long batches = 1;
      for (int axis = 0; axis < rank - 2; axis++) {
        batches *= parameter.size(axis);
      }
      return new Matrices(batches, parameter.size(rank - 2), parameter.size(rank - 1));
    }
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return StepChecks.inputs(parameters, norm);
  }

  @Override
  public List<Operand> outputs() {
    return StepChecks.outputs(parameters);
  }
}
