package dev.gatun.kernels.api.call.optim;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.ArrayList;
import java.util.List;

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
    if (step < 1) {
      throw Checks.bad(NAME, "step is %d, expected 1 or more", step);
    }
    if (!Float.isFinite(scale)) {
      throw Checks.bad(NAME, "scale is %s, expected a finite number", scale);
    }
    if (!(maxNorm > 0)) {
      throw Checks.bad(NAME, "max norm is %s, expected a positive number", maxNorm);
    }
    if (norm == null && maxNorm != Float.POSITIVE_INFINITY) {
      throw Checks.bad(NAME, "norm is missing, clipping to %s needs it", maxNorm);
    }
    if (norm != null) {
      Checks.shaped(NAME, "norm", norm, DType.F32, 1);
    }
    parameters = Spans.copy(NAME, "parameter", Checks.required(NAME, "parameters", parameters));
    DType copies = null;
    List<Operand> outputs = new ArrayList<>();
    List<Operand> inputs = new ArrayList<>(Checks.present(norm));
    for (int i = 0; i < parameters.size(); i++) {
      ParameterUpdate p = parameters.get(i);
      check(rule, i, p);
      if (p.copy() != null && copies != null && p.copy().dtype() != copies) {
        throw Checks.bad(NAME, "copy %d is %s, expected %s as before", i, p.copy(), copies);
      }
      copies = p.copy() == null ? copies : p.copy().dtype();
      inputs.add(p.gradient());
      outputs.addAll(outputs(p));
    }
    Spans.disjoint(NAME, inputs, outputs);
  }

  private static void check(UpdateRule rule, int i, ParameterUpdate p) {
    Operand parameter = p.parameter();
    Spans.whole(NAME, "parameter", i, parameter);
    long[] shape = parameter.shape();
    same("gradient", i, p.gradient(), DType.F32, shape);
    List<Operand> states = Checks.required(NAME, "states " + i, p.states());
    if (states.size() != rule.states().size()) {
      throw Checks.bad(
          NAME, "%d states of parameter %d, expected %s", states.size(), i, rule.states());
    }
    for (int s = 0; s < states.size(); s++) {
      same(rule.states().get(s), i, states.get(s), DType.F32, shape);
    }
    if (p.copy() != null) {
      DType dtype = Checks.floats(NAME, "copy " + i, p.copy());
      if (dtype == DType.F32) {
        throw Checks.bad(NAME, "copy %d is %s, expected BF16 or F16", i, p.copy());
      }
      same("copy", i, p.copy(), dtype, shape);
    }
    if (!Double.isFinite(p.rate())) {
      throw Checks.bad(NAME, "rate %d is %s, expected a finite number", i, p.rate());
    }
    if (!(p.decay() >= 0 && p.decay() < Double.POSITIVE_INFINITY)) {
      throw Checks.bad(NAME, "decay %d is %s, expected 0 or a positive number", i, p.decay());
    }
  }

  private static void same(String what, int i, Operand operand, DType dtype, long[] shape) {
    String name = what + " " + i;
    Checks.shaped(NAME, name, operand, dtype, shape);
    Checks.contiguous(NAME, name, operand);
  }

  private static List<Operand> outputs(ParameterUpdate p) {
    List<Operand> outputs = new ArrayList<>(Checks.present(p.parameter(), p.copy()));
    outputs.addAll(p.states());
    return outputs;
  }

  @Override
  public String kernel() {
    return NAME;
  }

  @Override
  public List<Operand> inputs() {
    List<Operand> inputs = new ArrayList<>(Checks.present(norm));
    parameters.forEach(p -> inputs.add(p.gradient()));
    return inputs;
  }

  @Override
  public List<Operand> outputs() {
    List<Operand> outputs = new ArrayList<>();
    parameters.forEach(p -> outputs.addAll(outputs(p)));
    return outputs;
  }
}
