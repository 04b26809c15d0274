package dev.gatun.training.optim;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Layouts;
import dev.gatun.ops.Reductions;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Adafactor (Shazeer and Stern, arXiv 1804.04235) as {@code transformers.optimization.Adafactor}
 * has it: of a matrix it keeps the mean squares of rows and of columns alone. It is made of simple
 * ops. Not for use by two threads at once; the parameters stay their owner's.
 */
public final class Adafactor implements AutoCloseable {
  /**
   * Settings; {@link #RELATIVE} has those of transformers.
   *
   * @param eps1 added to the squares of gradients
   * @param eps2 the least scale of a parameter
   * @param clipThreshold the root mean square that an update is clipped to
   * @param decayRate the share of the mean squares that is kept is 1 less the step to this power
   * @param beta1 of the updates' mean, 0 for none
   * @param weightDecay of each parameter
   * @param scaleParameter whether rates grow with the root mean square of the parameter
   * @param warmupInit whether relative steps begin near 0
   */
  public record Settings(
      double eps1,
      double eps2,
      double clipThreshold,
      double decayRate,
      double beta1,
      double weightDecay,
      boolean scaleParameter,
      boolean warmupInit) {
    /** Without momentum, decay and warm-up. */
    public static final Settings RELATIVE = new Settings(1e-30, 1e-3, 1, -0.8, 0, 0, true, false);
  }

  private final Settings settings;
  private final Map<String, Tensor> parameters;
  private final Map<String, Tensor> state = new LinkedHashMap<>();
  private long steps;

  /**
   * An optimiser that has made no step.
   *
   * @param settings of all parameters
   * @param parameters by name, F32 and contiguous
   * @throws IllegalArgumentException for a parameter that is not F32 without gaps
   */
  public Adafactor(Settings settings, Map<String, Tensor> parameters) {
    this.settings = settings;
    this.parameters = new LinkedHashMap<>(parameters);
    parameters.forEach(
        (name, value) -> {
          if (value.dtype() != DType.F32 || !value.operand().isContiguous()) {
            throw new IllegalArgumentException(
                "adafactor: %s is %s, expected F32 without gaps".formatted(name, value));
          }
        });
    try {
      this.parameters.forEach(this::addState);
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  private void addState(String name, Tensor value) {
    if (value.rank() >= 2) {
      put(name + ".exp_avg_sq_row", value, without(value.shape(), value.rank() - 1));
      put(name + ".exp_avg_sq_col", value, without(value.shape(), value.rank() - 2));
    } else {
      put(name + ".exp_avg_sq", value, value.shape());
    }
    if (settings.beta1() > 0) {
      put(name + ".exp_avg", value, value.shape());
    }
  }

  private void put(String name, Tensor like, long... shape) {
    state.put(name, Tensor.zeros(like.device(), shape).detach());
  }

  private static long[] without(long[] shape, int axis) {
    long[] less = Arrays.copyOf(shape, shape.length - 1);
    System.arraycopy(shape, axis + 1, less, axis, shape.length - 1 - axis);
    return less;
  }

  /** {@return what is kept for the parameters, by {@code NAME.STATE}; it stays the optimiser's} */
  public Map<String, Tensor> state() {
    return Map.copyOf(state);
  }

  /** {@return the number of steps made} */
  public long steps() {
    return steps;
  }

  /**
   * Goes on where another one with these settings and parameters was.
   *
   * @param other the other's {@link #state}, all of it
   * @param count the other's {@link #steps}
   * @throws IllegalArgumentException when something is missing or of another shape; then nothing is
   *     changed
   */
  public void restore(Map<String, Tensor> other, long count) {
    state.forEach(
        (name, mine) -> {
          Tensor one = other.get(name);
          if (one == null
              || one.dtype() != DType.F32
              || !Arrays.equals(one.shape(), mine.shape())) {
            throw new IllegalArgumentException(
                "adafactor: the state %s is %s, expected %s"
                    .formatted(name, one == null ? "missing" : one, mine));
          }
        });
    if (count < 0) {
      throw new IllegalArgumentException(
          "adafactor: %d steps were made, expected 0 or more".formatted(count));
    }
    state.forEach((name, mine) -> Layouts.copy(other.get(name), mine));
    steps = count;
  }

  /** Makes a step whose rate follows from its number, {@code min(0.01, 1 / √step)}. */
  public void step(Map<String, Tensor> gradients) {
    double t = steps + 1.0;
    double least = settings.warmupInit() ? 1e-6 * t : 1e-2;
    step(gradients, Math.min(least, 1 / Math.sqrt(t)));
  }

  /**
   * Makes a step.
   *
   * @param gradients by the names of parameters, F32 of their shapes; those that are not there stay
   *     as they are
   * @param rate the learning rate, before it is scaled by a parameter's size
   * @throws IllegalArgumentException for the gradient of a parameter that is not the optimiser's,
   *     or of another shape
   */
  public void step(Map<String, Tensor> gradients, double rate) {
    gradients.forEach(
        (name, gradient) -> {
          Tensor value = parameters.get(name);
          if (value == null || !Arrays.equals(value.shape(), gradient.shape())) {
            throw new IllegalArgumentException(
                "adafactor: the gradient of %s is %s, the parameter is %s"
                    .formatted(name, gradient, value == null ? "unknown" : value));
          }
        });
    steps++;
    parameters.forEach(
        (name, value) -> {
          if (gradients.containsKey(name)) {
            try (Scope _ = Scope.open()) {
              step(name, value, gradients.get(name), rate);
            }
          }
        });
  }

  private void step(String name, Tensor value, Tensor gradient, double rate) {
    double scale = settings.scaleParameter() ? Math.max(settings.eps2(), rootMeanSquare(value)) : 1;
    double own = rate * scale;
    double kept = 1 - Math.pow(steps, settings.decayRate());
    Tensor squares = add(Elementwise.multiply(gradient, gradient), settings.eps1());
    Tensor update =
        value.rank() >= 2
            ? factored(name, gradient, squares, kept)
            : Elementwise.divideByRoot(gradient, mean(name + ".exp_avg_sq", squares, kept));
    double size = rootMeanSquare(update) / settings.clipThreshold();
    update = times(update, own / Math.max(1, size));
    if (settings.beta1() > 0) {
      update = mean(name + ".exp_avg", update, settings.beta1());
    }
    Tensor decayed = times(value, 1 - settings.weightDecay() * own);
    Layouts.copy(Elementwise.subtract(decayed, update), value);
  }

  /** The gradient divided by the root of what rows and columns say of its squares. */
  private Tensor factored(String name, Tensor gradient, Tensor squares, double kept) {
    long[] shape = gradient.shape();
    Tensor row = mean(name + ".exp_avg_sq_row", Reductions.mean(squares, -1), kept);
    Tensor column = mean(name + ".exp_avg_sq_col", Reductions.mean(squares, -2), kept);
    long[] rows = shape.clone();
    rows[shape.length - 1] = 1;
    long[] columns = shape.clone();
    columns[shape.length - 2] = 1;
    long[] all = rows.clone();
    all[shape.length - 2] = 1;
    Tensor share = Elementwise.divide(row.reshape(rows), Reductions.mean(row, -1).reshape(all));
    return Elementwise.divideByRoot(
        Elementwise.divideByRoot(gradient, share), column.reshape(columns));
  }

  /** Takes x into a running mean, and gives it. */
  private Tensor mean(String name, Tensor x, double kept) {
    Tensor mine = state.get(name);
    Layouts.copy(
        Elementwise.add(times(mine, kept), times(x.reshape(mine.shape()), 1 - kept)), mine);
    return mine;
  }

  private static Tensor times(Tensor x, double by) {
    return Elementwise.multiply(x, Tensor.of(x.device(), new float[] {(float) by}, 1));
  }

  private static Tensor add(Tensor x, double more) {
    return Elementwise.add(x, Tensor.of(x.device(), new float[] {(float) more}, 1));
  }

  private static double rootMeanSquare(Tensor x) {
    return x.count() == 0
        ? 0
        : Math.sqrt(
            Reductions.sum(Elementwise.multiply(x, x)).toFloatArray()[0] / (double) x.count());
  }

  @Override
  public void close() {
    state.values().forEach(Tensor::close);
    state.clear();
  }
}
