package dev.gatun.ops;

import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.optim.AdafactorRule;
import dev.gatun.kernels.api.call.optim.AdafactorStep;
import dev.gatun.kernels.api.call.optim.GlobalNorm;
import dev.gatun.kernels.api.call.optim.OptimCall;
import dev.gatun.kernels.api.call.optim.OptimizerStep;
import dev.gatun.kernels.api.call.optim.ParameterUpdate;
import dev.gatun.kernels.api.call.optim.UpdateRule;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.tensor.Tensor;
import java.lang.ref.Reference;
import java.util.List;
import java.util.function.Function;

/** Steps of optimisers, which change parameters in place, and the norm of gradients. */
public final class Optim {
  private Optim() {}

  /**
   * A parameter in a step.
   *
   * @param value F32 of any shape, contiguous
   * @param gradient F32 of its shape
   * @param states what the rule keeps for it, F32, in the rule's order; of its shape but for
   *     Adafactor's
   * @param copy BF16 or F16 of its shape, which receives what the parameter becomes; or null
   * @param rate the learning rate
   * @param decay the weight decay
   */
  public record Parameter(
      Tensor value, Tensor gradient, List<Tensor> states, Tensor copy, double rate, double decay) {}

  /**
   * The norms of gradients.
   *
   * @param each F32 [gradients]
   * @param all F32 [1], of all of them as one vector
   */
  public record Norms(Tensor each, Tensor all) {}

  /**
   * The norms of F32 gradients times a scale: none is finite of one that has a NaN or an infinity.
   *
   * @param gradients at least one, contiguous, of any shapes
   * @param scale 1, or 1 divided by what the loss was multiplied by
   * @return the norm of each, and of all as one vector
   * @throws IllegalArgumentException when there are no gradients
   * @throws UnsupportedOperationException when a tape tracks one of them
   */
  public static Norms globalNorm(List<Tensor> gradients, float scale) {
    if (gradients.isEmpty()) {
      throw new IllegalArgumentException("global_norm: there are no gradients, expected some");
    }
    for (Tensor gradient : gradients) {
      Tape.refuse("global_norm", gradient);
    }
    Tensor each = Tensor.empty(gradients.getFirst().device(), DType.F32, gradients.size());
    boolean done = false;
    try {
      Tensor all =
          Calls.run(
              Tensor.empty(each.device(), DType.F32, 1),
              (k, y) ->
                  k.run(
                      new GlobalNorm(
                          gradients.stream().map(Tensor::operand).toList(),
                          scale,
                          each.operand(),
                          y.operand())),
              gradients.toArray(Tensor[]::new));
      done = true;
      return new Norms(each, all);
    } finally {
      if (!done) {
        each.close();
      }
    }
  }

  /**
   * A step over a list of parameters, as {@link OptimizerStep} says.
   *
   * @param rule what a step does
   * @param step its number, from 1 on
   * @param parameters what is changed; nothing where there are none
   * @param scale of the gradients: 1, or 1 divided by what the loss was multiplied by
   * @param norm of the scaled gradients, by which they are clipped and a step that is not finite is
   *     skipped; or null
   * @param maxNorm the norm that gradients are clipped to, infinity for none
   */
  public static void step(
      UpdateRule rule,
      long step,
      List<Parameter> parameters,
      float scale,
      Tensor norm,
      float maxNorm) {
    run(
        "optimizer_step",
        parameters,
        norm,
        updates -> new OptimizerStep(rule, step, updates, scale, Calls.operand(norm), maxNorm));
  }

  /**
   * A step of Adafactor over a list of parameters, as {@link AdafactorStep} says.
   *
   * @param rule its settings
   * @param step its number, from 1 on
   * @param parameters what is changed; nothing where there are none
   * @param scale of the gradients: 1, or 1 divided by what the loss was multiplied by
   * @param norm of the scaled gradients, by which they are clipped and a step that is not finite is
   *     skipped; or null
   * @param maxNorm the norm that gradients are clipped to, infinity for none
   */
  public static void adafactorStep(
      AdafactorRule rule,
      long step,
      List<Parameter> parameters,
      float scale,
      Tensor norm,
      float maxNorm) {
    run(
        "adafactor_step",
        parameters,
        norm,
        updates -> new AdafactorStep(rule, step, updates, scale, Calls.operand(norm), maxNorm));
  }

  private static void run(
      String op,
      List<Parameter> parameters,
      Tensor norm,
      Function<List<ParameterUpdate>, OptimCall> call) {
    for (Parameter p : parameters) {
      Tape.refuseInPlace(op, p.value(), p.gradient());
    }
    OptimCall made =
        call.apply(
            parameters.stream()
                .map(
                    p ->
                        new ParameterUpdate(
                            p.value().operand(),
                            p.gradient().operand(),
                            p.states().stream().map(Tensor::operand).toList(),
                            Calls.operand(p.copy()),
                            p.rate(),
                            p.decay()))
                .toList());
    if (!parameters.isEmpty()) {
      parameters.getFirst().value().device().kernels().run(made);
    }
    Reference.reachabilityFence(parameters);
    Reference.reachabilityFence(norm);
  }
}
