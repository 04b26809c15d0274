package dev.gatun.kernels.api.call.loss;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.checks.Operands;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.kernels.api.memory.Operand;
import java.util.List;

/**
 * The negative log-likelihood of each row's target under the softmax of its logits: {@code loss[i]
 * = ln Σ exp(logits[i]) - logits[i, targets[i]]}, and 0 where the target is ignoreIndex. A target
 * outside of the columns is an error that names it and its place. Computed in float.
 *
 * @param logits F32, BF16 or F16 [rows, columns] contiguous
 * @param targets I64 [rows] contiguous
 * @param ignoreIndex the target of rows that do not count, usually -100
 * @param loss F32 [rows] contiguous
 */
public record CrossEntropy(Operand logits, Indices targets, long ignoreIndex, Operand loss)
    implements LossCall {

  private static final String NAME = "cross_entropy";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public CrossEntropy {
    Checks.operand(NAME, "logits", logits, Checks.floats(NAME, "logits", logits), 2);
    Checks.contiguous(NAME, "logits", logits);
    Checks.indices(NAME, "targets", targets, logits.size(1), logits.size(0));
    Checks.shaped(NAME, "loss", loss, DType.F32, logits.size(0));
    Checks.contiguous(NAME, "loss", loss);
    Checks.disjoint(
        new Operands(NAME, Checks.present(logits, targets.values()), Checks.present(loss)));
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    return Checks.present(logits, targets.values());
  }

  @Override
  public List<Operand> outputs() {
    return Checks.present(loss);
  }
}
