package dev.gatun.kernels.api.call.optim;

import dev.gatun.kernels.api.checks.Checks;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;
import java.util.function.Function;

/** What the steps of all optimisers require of their arguments. */
final class StepChecks {
  private final String kernel;
  private final Function<long[], SequencedMap<String, long[]>> states;

  /**
   * @param states the shapes of what is kept for a parameter of a shape, by their names
   */
  StepChecks(String kernel, Function<long[], SequencedMap<String, long[]>> states) {
    this.kernel = kernel;
    this.states = states;
  }

  /** Requires a step that there is, and a norm where gradients are clipped by it. */
  void settings(long step, float scale, Operand norm, float maxNorm) {
    if (step < 1) {
      throw Checks.bad(kernel, "step is %d, expected 1 or more", step);
    }
    if (!Float.isFinite(scale)) {
      throw Checks.bad(kernel, "scale is %s, expected a finite number", scale);
    }
    if (!(maxNorm > 0)) {
      throw Checks.bad(kernel, "max norm is %s, expected a positive number", maxNorm);
    }
    if (norm == null && maxNorm != Float.POSITIVE_INFINITY) {
      throw Checks.bad(kernel, "norm is missing, clipping to %s needs it", maxNorm);
    }
    if (norm != null) {
      Checks.shaped(kernel, "norm", norm, DType.F32, 1);
    }
  }

  /** {@return a list that nobody changes, of parameters that fit and do not overlap} */
  List<ParameterUpdate> parameters(List<ParameterUpdate> given, Operand norm) {
    List<ParameterUpdate> parameters =
        Spans.copy(kernel, "parameter", Checks.required(kernel, "parameters", given));
    DType copies = null;
    for (int i = 0; i < parameters.size(); i++) {
      ParameterUpdate p = parameters.get(i);
      parameter(i, p);
      if (p.copy() != null && copies != null && p.copy().dtype() != copies) {
        throw Checks.bad(kernel, "copy %d is %s, expected %s as before", i, p.copy(), copies);
      }
      copies = p.copy() == null ? copies : p.copy().dtype();
    }
    Spans.disjoint(kernel, inputs(parameters, norm), outputs(parameters));
    return parameters;
  }

  private void parameter(int i, ParameterUpdate p) {
    Operand parameter = p.parameter();
    Spans.whole(kernel, "parameter", i, parameter);
    long[] shape = parameter.shape();
    shaped("gradient", i, p.gradient(), DType.F32, shape);
    List<Operand> given = Checks.required(kernel, "states " + i, p.states());
    SequencedMap<String, long[]> expected = states.apply(shape);
    if (given.size() != expected.size()) {
      throw Checks.bad(
          kernel, "%d states of parameter %d, expected %s", given.size(), i, expected.keySet());
    }
    int s = 0;
    for (var state : expected.entrySet()) {
      shaped(state.getKey(), i, given.get(s++), DType.F32, state.getValue());
    }
    if (p.copy() != null) {
      DType dtype = Checks.floats(kernel, "copy " + i, p.copy());
      if (dtype == DType.F32) {
        throw Checks.bad(kernel, "copy %d is %s, expected BF16 or F16", i, p.copy());
      }
      shaped("copy", i, p.copy(), dtype, shape);
    }
    if (!Double.isFinite(p.rate())) {
      throw Checks.bad(kernel, "rate %d is %s, expected a finite number", i, p.rate());
    }
    if (!(p.decay() >= 0 && p.decay() < Double.POSITIVE_INFINITY)) {
      throw Checks.bad(kernel, "decay %d is %s, expected 0 or a positive number", i, p.decay());
    }
  }

  private void shaped(String what, int i, Operand operand, DType dtype, long[] shape) {
    String name = what + " " + i;
    Checks.shaped(kernel, name, operand, dtype, shape);
    Checks.contiguous(kernel, name, operand);
  }

  /** {@return what a step reads and leaves} */
  static List<Operand> inputs(List<ParameterUpdate> parameters, Operand norm) {
    List<Operand> inputs = new ArrayList<>(Checks.present(norm));
    parameters.forEach(p -> inputs.add(p.gradient()));
    return inputs;
  }

  /** {@return what a step writes} */
  static List<Operand> outputs(List<ParameterUpdate> parameters) {
    List<Operand> outputs = new ArrayList<>();
    for (ParameterUpdate p : parameters) {
      outputs.addAll(Checks.present(p.parameter(), p.copy()));
      outputs.addAll(p.states());
    }
    return outputs;
  }
}
