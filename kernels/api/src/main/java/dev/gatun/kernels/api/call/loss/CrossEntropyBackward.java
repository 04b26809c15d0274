package dev.gatun.kernels.api.call.loss;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * The gradient of the cross-entropy of each row, with label smoothing (Szegedy et al., arXiv
 * 1512.00567) and z-loss (Chowdhery et al., arXiv 2204.02311), and that loss itself. With {@code
 * lse = ln Σ exp(x)} of a row x of logits, {@code p = softmax(x)}, {@code s = scale · weights[i]}
 * and y its target:
 *
 * <p>{@code loss[i] = s ((1 - smoothing)(lse - x[y]) + smoothing (lse - mean(x)) + zLoss · lse²)},
 *
 * <p>{@code dlogits[i, j] = s (p[j] (1 + 2 zLoss · lse) - (1 - smoothing)[j = y] - smoothing /
 * columns)}.
 *
 * <p>Both are 0 where the target is ignoreIndex. A target outside of the columns is an error that
 * names it and its place. Computed in float.
 *
 * @param logits F32, BF16 or F16 [rows, columns] contiguous
 * @param targets I64 [rows] contiguous
 * @param weights F32 [rows] contiguous, what each row counts for; or null for 1
 * @param ignoreIndex the target of rows that do not count, usually -100
 * @param smoothing the share of a target that all classes have alike, from 0 to 1
 * @param zLoss the weight of the square of lse, 0 for none
 * @param scale of all rows: 1 divided by the number of those that a whole step counts
 * @param dlogits of logits' dtype and shape, contiguous; may be logits; or null
 * @param loss F32 [rows] contiguous, or null
 */
public record CrossEntropyBackward(
    Operand logits,
    Indices targets,
    Operand weights,
    long ignoreIndex,
    float smoothing,
    float zLoss,
    float scale,
    Operand dlogits,
    Operand loss)
    implements LossCall {

  private static final String NAME = "cross_entropy_backward";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public CrossEntropyBackward {
    DType dtype = Checks.floats(NAME, "logits", logits);
    Checks.operand(NAME, "logits", logits, dtype, 2);
    Checks.contiguous(NAME, "logits", logits);
    Checks.indices(NAME, "targets", targets, logits.size(1), logits.size(0));
    rows("weights", weights, logits);
    rows("loss", loss, logits);
    if (dlogits != null) {
      Checks.shaped(NAME, "dlogits", dlogits, dtype, logits.size(0), logits.size(1));
      Checks.contiguous(NAME, "dlogits", dlogits);
    }
    if (!(smoothing >= 0 && smoothing <= 1)) {
      throw Checks.bad(NAME, "smoothing is %s, expected 0 to 1", smoothing);
    }
    if (!(zLoss >= 0 && zLoss < Float.POSITIVE_INFINITY)) {
      throw Checks.bad(NAME, "z-loss is %s, expected 0 or a positive number", zLoss);
    }
    if (!Float.isFinite(scale)) {
      throw Checks.bad(NAME, "scale is %s, expected a finite number", scale);
    }
    if (dlogits == null && loss == null) {
      throw Checks.bad(NAME, "dlogits and loss are missing, expected one of them");
    }
    Checks.disjoint(
        new Operands(
            NAME, Checks.present(logits, targets.values(), weights), Checks.present(dlogits, loss)),
        logits);
  }

  private static void rows(String name, Operand operand, Operand logits) {
    if (operand != null) {
      Checks.shaped(NAME, name, operand, DType.F32, logits.size(0));
      Checks.contiguous(NAME, name, operand);
    }
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(logits, targets.values(), weights);
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(dlogits, loss);
  }
}
