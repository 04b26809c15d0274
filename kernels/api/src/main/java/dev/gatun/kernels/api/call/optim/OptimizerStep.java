package dev.gatun.kernels.api.call.optim;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.memory.Operand;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/**
 * A step of an optimiser over a list of parameters: each element is changed by the {@link
 * UpdateRule}, its gradient being {@code scale · min(1, maxNorm / (norm + 1e-6))} times what is
 * given, as PyTorch's {@code clip_grad_norm_} has it. Where norm is there and not a finite number,
 * nothing is changed at all: that is how a step whose gradients have a NaN or an infinity is
 * skipped, without waiting for the device.
 *
 * @param rule what a step does
 * @param step its number, from 1 on
 * @param parameters what is changed, none of which overlaps another
 * @param scale of the gradients: 1, or 1 divided by what the loss was multiplied by
 * @param norm F32 [1] of the scaled gradients, as {@link GlobalNorm} gives it; or null for steps
 *     that neither clip nor skip
 * @param maxNorm the norm that gradients are clipped to, infinity for none
 */
public record OptimizerStep(
    UpdateRule rule,
    long step,
    List<ParameterUpdate> parameters,
    float scale,
    Operand norm,
    float maxNorm)
    implements OptimCall {
  static final String NAME = "optimizer_step";

  /**
   * Checks the arguments.
   *
   * @throws IllegalArgumentException naming the argument that does not fit, and what would
   */
  public OptimizerStep {
    Checks.required(NAME, "rule", rule);
    StepChecks checks = new StepChecks(NAME, shape -> states(rule, shape));
    checks.settings(step, scale, norm, maxNorm);
    parameters = checks.parameters(parameters, norm);
  }

  private static SequencedMap<String, long[]> states(UpdateRule rule, long[] shape) {
    SequencedMap<String, long[]> states = new LinkedHashMap<>();
    rule.states().forEach(name -> states.put(name, shape));
    return states;
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
