package dev.gatun.training.optim;

import dev.gatun.kernels.api.call.optim.AdafactorRule;
import dev.gatun.kernels.api.call.optim.UpdateRule;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.ops.Layouts;
import dev.gatun.ops.Optim;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import java.util.function.ToDoubleFunction;

/**
 * An optimiser of named parameters: a rule, and what it keeps for each of them. A parameter takes
 * part in the steps that have a gradient of it, and counts these, as torch's do. Not for use by two
 * threads at once; the parameters stay their owner's.
 */
public final class Optimizer implements AutoCloseable {
  /**
   * A parameter to be changed.
   *
   * @param name tells it apart, such as Hugging Face's name of it
   * @param value F32 of any shape, contiguous
   * @param copy BF16 or F16 of its shape, contiguous, that becomes the value rounded; or null
   * @param decay its weight decay
   * @param rateFactor times the learning rate is its own, for rates that differ by layer
   */
  public record Parameter(String name, Tensor value, Tensor copy, double decay, double rateFactor) {
    /**
     * A parameter without copy, with the learning rate as it is given.
     *
     * @param name tells it apart, such as Hugging Face's name of it
     * @param value F32 of any shape, contiguous
     * @param decay its weight decay
     */
    public Parameter(String name, Tensor value, double decay) {
      this(name, value, null, decay, 1);
    }
  }

  /**
   * How the gradients of a step are scaled, and clipped.
   *
   * @param scale 1, or 1 divided by what the loss was multiplied by
   * @param maxNorm the norm of all scaled gradients that they are clipped to, infinity for none
   */
  public record Scaling(float scale, float maxNorm) {
    /** Gradients as they are. */
    public static final Scaling NONE = new Scaling(1, Float.POSITIVE_INFINITY);
  }

  /**
   * What a step did.
   *
   * @param norm of all scaled gradients before they were clipped
   * @param notFinite the parameters whose gradients have a NaN or an infinity, or are too large for
   *     their squares to be numbers; empty unless the step was skipped
   */
  public record Outcome(float norm, List<String> notFinite) {
    /** {@return whether nothing was changed, since the norm is no finite number} */
    public boolean skipped() {
      return !Float.isFinite(norm);
    }
  }

  private static final class Slot {
    final Parameter parameter;
    final SequencedMap<String, Tensor> states = new LinkedHashMap<>();
    long steps;

    Slot(Parameter parameter) {
      this.parameter = parameter;
    }
  }

  /** What a rule keeps of parameters, and its steps. */
  private interface Steps {
    SequencedMap<String, long[]> states(long... shape);

    void make(long step, List<Optim.Parameter> parameters, Scaling scaling, Tensor norm);
  }

  private static Steps steps(UpdateRule rule) {
    return new Steps() {
      @Override
      public SequencedMap<String, long[]> states(long... shape) {
        SequencedMap<String, long[]> states = new LinkedHashMap<>();
        rule.states().forEach(name -> states.put(name, shape));
        return states;
      }

      @Override
      public void make(long step, List<Optim.Parameter> parameters, Scaling scaling, Tensor norm) {
        Optim.step(rule, step, parameters, scaling.scale(), norm, scaling.maxNorm());
      }
    };
  }

  private static Steps steps(AdafactorRule rule) {
    return new Steps() {
      @Override
      public SequencedMap<String, long[]> states(long... shape) {
        return rule.states(shape);
      }

      @Override
      public void make(long step, List<Optim.Parameter> parameters, Scaling scaling, Tensor norm) {
        Optim.adafactorStep(rule, step, parameters, scaling.scale(), norm, scaling.maxNorm());
      }
    };
  }

  private final Steps rule;
  private final Map<String, Slot> slots = new LinkedHashMap<>();
  // Of each memory that parameters are in: the steps ask it for the same blocks.
  private final Map<Memory, Memory.Repeated> repeated = new IdentityHashMap<>();

  private Optimizer(Steps rule) {
    this.rule = rule;
  }

  /**
   * {@return an optimiser that has made no step}
   *
   * @param rule what a step does
   * @param parameters that it may change, whose names differ
   * @throws IllegalArgumentException for a name that comes twice, and a parameter that is not F32
   */
  public static Optimizer of(UpdateRule rule, List<Parameter> parameters) {
    return of(steps(rule), parameters);
  }

  /**
   * {@return an Adafactor that has made no step} Of a matrix it keeps the mean squares of rows and
   * of columns alone.
   *
   * @param rule its settings
   * @param parameters that it may change, whose names differ
   * @throws IllegalArgumentException for a name that comes twice, and a parameter that is not F32
   */
  public static Optimizer of(AdafactorRule rule, List<Parameter> parameters) {
    return of(steps(rule), parameters);
  }

  private static Optimizer of(Steps rule, List<Parameter> parameters) {
    Optimizer made = new Optimizer(rule);
    try {
      for (Parameter parameter : parameters) {
        made.add(parameter);
      }
      return made;
    } catch (RuntimeException | Error e) {
      made.close();
      throw e;
    }
  }

  private void add(Parameter parameter) {
    Tensor value = parameter.value();
    if (value.dtype() != DType.F32 || !value.operand().isContiguous()) {
      throw new IllegalArgumentException(
          "optimizer: %s is %s, expected F32 without gaps".formatted(parameter.name(), value));
    }
    Slot slot = new Slot(parameter);
    if (slots.putIfAbsent(parameter.name(), slot) != null) {
      throw new IllegalArgumentException(
          "optimizer: there are two parameters %s".formatted(parameter.name()));
    }
    repeated.computeIfAbsent(value.device().memory(), Memory::repeat);
    rule.states(value.shape())
        .forEach(
            (name, shape) -> slot.states.put(name, Tensor.zeros(value.device(), shape).detach()));
  }

  /** {@return the names of the parameters, in their order} */
  public List<String> names() {
    return List.copyOf(slots.keySet());
  }

  /**
   * {@return whether a weight of a model is one that decays by convention: not biases, and not the
   * weights of norms, which have one axis}
   *
   * @param shape the weight's
   */
  public static boolean decays(long... shape) {
    return shape.length > 1;
  }

  /**
   * Makes a step, unless the gradients are not finite: then nothing is changed or counted.
   *
   * @param gradients by the names of parameters, F32 of their shapes, contiguous; those that are
   *     not there stay as they are
   * @param rate the learning rate
   * @param scaling of the gradients
   * @return the gradients' norm, and what was wrong with them
   * @throws IllegalArgumentException for the gradient of a parameter that is not the optimiser's,
   *     of another shape, or none at all
   */
  public Outcome step(Map<String, Tensor> gradients, double rate, Scaling scaling) {
    return step(gradients, parameter -> rate * parameter.rateFactor(), scaling);
  }

  /**
   * Makes a step, unless the gradients are not finite: then nothing is changed or counted.
   *
   * @param gradients by the names of parameters, F32 of their shapes, contiguous; those that are
   *     not there stay as they are
   * @param rate the learning rate of each parameter, which its {@code rateFactor} does not change
   * @param scaling of the gradients
   * @return the gradients' norm, and what was wrong with them
   * @throws IllegalArgumentException for the gradient of a parameter that is not the optimiser's,
   *     of another shape, or none at all
   */
  public Outcome step(
      Map<String, Tensor> gradients, ToDoubleFunction<Parameter> rate, Scaling scaling) {
    for (String name : gradients.keySet()) {
      slot(name);
    }
    List<Slot> taken =
        slots.values().stream().filter(s -> gradients.containsKey(s.parameter.name())).toList();
    if (taken.isEmpty()) {
      throw new IllegalArgumentException("optimizer: a step of no gradients, expected some");
    }
    for (Slot slot : taken) {
      Tensor gradient = gradients.get(slot.parameter.name());
      if (!Arrays.equals(gradient.shape(), slot.parameter.value().shape())) {
        throw new IllegalArgumentException(
            "optimizer: the gradient of %s is %s, the parameter is %s"
                .formatted(slot.parameter.name(), gradient, slot.parameter.value()));
      }
    }
    try (Scope _ = Scope.open()) {
      Optim.Norms norms =
          Optim.globalNorm(
              taken.stream().map(s -> gradients.get(s.parameter.name())).toList(), scaling.scale());
      float norm = norms.all().toFloatArray()[0];
      if (!Float.isFinite(norm)) {
        return new Outcome(norm, notFinite(taken, norms.each().toFloatArray()));
      }
      // Parameters that took part in as many steps go together.
      Map<Long, List<Optim.Parameter>> bySteps = new TreeMap<>();
      for (Slot slot : taken) {
        Parameter p = slot.parameter;
        bySteps
            .computeIfAbsent(slot.steps + 1, s -> new ArrayList<>())
            .add(
                new Optim.Parameter(
                    p.value(),
                    gradients.get(p.name()),
                    List.copyOf(slot.states.sequencedValues()),
                    p.copy(),
                    rate.applyAsDouble(p),
                    p.decay()));
      }
      bySteps.forEach((step, parameters) -> rule.make(step, parameters, scaling, norms.all()));
      taken.forEach(slot -> slot.steps++);
      return new Outcome(norm, List.of());
    }
  }

  private static List<String> notFinite(List<Slot> taken, float[] norms) {
    List<String> names = new ArrayList<>();
    for (int i = 0; i < norms.length; i++) {
      if (!Float.isFinite(norms[i])) {
        names.add(taken.get(i).parameter.name());
      }
    }
    return names;
  }

  private Slot slot(String name) {
    Slot slot = slots.get(name);
    if (slot == null) {
      throw new IllegalArgumentException(
          "optimizer: %s is none of its %d parameters".formatted(name, slots.size()));
    }
    return slot;
  }

  /**
   * {@return what is kept for the parameters, by {@code NAME.STATE} such as {@code
   * lm_head.weight.exp_avg}, for a checkpoint} The tensors stay the optimiser's, and change with
   * its steps.
   */
  public Map<String, Tensor> state() {
    Map<String, Tensor> state = new LinkedHashMap<>();
    slots.forEach(
        (name, slot) -> slot.states.forEach((of, tensor) -> state.put(name + "." + of, tensor)));
    return state;
  }

  /** {@return in how many steps each parameter took part, by its name} */
  public Map<String, Long> steps() {
    Map<String, Long> steps = new LinkedHashMap<>();
    slots.forEach((name, slot) -> steps.put(name, slot.steps));
    return steps;
  }

  /**
   * Goes on where another optimiser with this rule and these parameters was.
   *
   * @param state the other's {@link #state}, all of it
   * @param steps the other's {@link #steps}, all of them
   * @throws IllegalArgumentException when something is missing, unknown or of another shape; then
   *     nothing is changed
   */
  public void restore(Map<String, Tensor> state, Map<String, Long> steps) {
    Map<String, Tensor> own = state();
    for (String name : state.keySet()) {
      if (!own.containsKey(name)) {
        throw new IllegalArgumentException(
            "optimizer: the state %s is none of this optimiser's".formatted(name));
      }
    }
    own.forEach(
        (name, mine) -> {
          Tensor other = state.get(name);
          if (other == null
              || other.dtype() != DType.F32
              || !Arrays.equals(other.shape(), mine.shape())) {
            throw new IllegalArgumentException(
                "optimizer: the state %s is %s, expected %s"
                    .formatted(name, other == null ? "missing" : other, mine));
          }
        });
    slots.forEach(
        (name, slot) -> {
          Long count = steps.get(name);
          if (count == null || count < 0) {
            throw new IllegalArgumentException(
                "optimizer: %s took part in %s steps, expected 0 or more".formatted(name, count));
          }
        });
    own.forEach((name, mine) -> Layouts.copy(state.get(name), mine));
    slots.forEach((name, slot) -> slot.steps = steps.get(name));
  }

  @Override
  public void close() {
    slots.values().forEach(slot -> slot.states.values().forEach(Tensor::close));
    slots.clear();
    repeated.values().forEach(Memory.Repeated::close);
    repeated.clear();
  }
}
