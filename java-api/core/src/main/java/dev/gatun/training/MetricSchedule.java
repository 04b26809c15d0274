package dev.gatun.training;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Learning rates that follow what evaluations tell, not the updates: one of each group of
 * parameters, as torch's {@code ReduceLROnPlateau} has them, and transformers' {@code GreedyLR}. A
 * NaN is never better. There is no warm-up.
 */
abstract sealed class MetricSchedule {
  private static final String TYPE = "lr_scheduler_type";
  private static final String MODE = "mode";

  private final Schedule.Type type;
  private final String mode;
  private final boolean isRelative;
  private final double threshold;
  final long patience;
  final double factor;
  final long cooldown;
  final List<Double> least;
  final double eps;

  final double[] rates;
  double best;
  long bad;
  long cooling;

  private MetricSchedule(
      Schedule.Type type,
      ScheduleArguments given,
      List<Double> rates,
      double factor,
      double threshold,
      String thresholdMode,
      double least) {
    this.type = type;
    this.mode = given.of(MODE, "min", "max");
    this.factor = given.number("factor", factor);
    this.patience = given.whole("patience", 0, 10);
    this.threshold = given.number("threshold", threshold);
    this.isRelative =
        given
            .of("threshold_mode", thresholdMode, thresholdMode.equals("rel") ? "abs" : "rel")
            .equals("rel");
    this.cooldown = given.whole("cooldown", 0, 0);
    this.least = given.each("min_lr", rates.size(), least);
    this.eps = given.share("eps", 1e-8);
    this.rates = rates.stream().mapToDouble(Double::doubleValue).toArray();
    this.best = worst();
  }

  /**
   * The schedule before its first evaluation.
   *
   * @param type one that follows evaluations
   * @param rates at which the groups begin
   * @throws IllegalArgumentException for an argument that the type does not have, and a value that
   *     it cannot have
   */
  static MetricSchedule of(Schedule.Type type, Map<String, Object> kwargs, List<Double> rates) {
    ScheduleArguments given = new ScheduleArguments(type, kwargs);
    return type == Schedule.Type.GREEDY ? new Greedy(given, rates) : new Plateau(given, rates);
  }

  /**
   * Checks arguments where it is not known yet how many groups there are.
   *
   * @throws IllegalArgumentException as {@link #of}
   */
  static void check(Schedule.Type type, Map<String, Object> kwargs) {
    List<?> each =
        kwargs.get("min_lr") instanceof List<?> least
            ? least
            : kwargs.get("max_lr") instanceof List<?> most ? most : List.of(1);
    of(type, kwargs, Collections.nCopies(each.size(), 1.0));
  }

  /** Whether more of the metric is better to it. */
  boolean isOfMore() {
    return mode.equals("max");
  }

  /** The rates of the groups. */
  List<Double> rates() {
    return list(rates);
  }

  private double worst() {
    return isOfMore() ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
  }

  final boolean isBetter(double metric) {
    if (isOfMore()) {
      return metric > (isRelative ? best * (1 + threshold) : best + threshold);
    }
    return metric < (isRelative ? best * (1 - threshold) : best - threshold);
  }

  /** Begins anew. */
  void forget() {
    best = worst();
    bad = 0;
    cooling = 0;
  }

  /** Takes what an evaluation told. */
  abstract void step(double metric);

  void reduce() {
    for (int i = 0; i < rates.length; i++) {
      double rate = Math.max(rates[i] * factor, least.get(i));
      if (rates[i] - rate > eps) {
        rates[i] = rate;
      }
    }
  }

  /** All that it knows, for a checkpoint. */
  Map<String, Object> state() {
    Map<String, Object> state = new LinkedHashMap<>();
    state.put(TYPE, type.key());
    state.put(MODE, mode);
    state.put("best", json(best));
    state.put("num_bad_epochs", bad);
    state.put("cooldown_counter", cooling);
    state.put("last_lr", rates());
    return state;
  }

  /**
   * Goes on from {@link #state}.
   *
   * @param where it was, for messages
   * @param json null where there was none
   * @throws CheckpointException when it is not there, not whole, or of another type, mode or number
   *     of groups; then this is not to be used
   */
  void restore(String where, Object json) {
    if (!(json instanceof Map<?, ?> state)) {
      throw new CheckpointException(
          "%s: has no state of %s, expected that of a run with this lr_scheduler_type"
              .formatted(where, type.key()));
    }
    restore(new State(where, state));
  }

  void restore(State state) {
    state.requireSame(TYPE, type.key());
    state.requireSame(MODE, mode);
    best = state.number("best");
    bad = state.whole("num_bad_epochs");
    cooling = state.whole("cooldown_counter");
    state.rates("last_lr", rates);
  }

  // JSON has no infinities.
  private static Object json(double value) {
    return Double.isFinite(value) ? (Object) value : Double.toString(value);
  }

  private static List<Double> list(double[] values) {
    List<Double> list = new ArrayList<>();
    for (double value : values) {
      list.add(value);
    }
    return list;
  }

  /** What a checkpoint says. */
  private record State(String where, Map<?, ?> values) {
    private CheckpointException bad(String name, Object expected) {
      return new CheckpointException(
          "%s: the schedule's '%s' is %s, expected %s"
              .formatted(where, name, values.get(name), expected));
    }

    void requireSame(String name, String expected) {
      if (!expected.equals(values.get(name))) {
        throw bad(name, expected);
      }
    }

    private double number(String name, Object value) {
      if (value instanceof Number number) {
        return number.doubleValue();
      }
      if (value instanceof String text && text.matches("-?Infinity|NaN")) {
        return Double.parseDouble(text);
      }
      throw bad(name, "numbers");
    }

    double number(String name) {
      return number(name, values.get(name));
    }

    long whole(String name) {
      if (values.get(name) instanceof Number number && number.doubleValue() == number.longValue()) {
        return number.longValue();
      }
      throw bad(name, "a whole number");
    }

    double[] numbers(String name) {
      if (!(values.get(name) instanceof List<?> list)) {
        throw bad(name, "a list");
      }
      return list.stream().mapToDouble(each -> number(name, each)).toArray();
    }

    void rates(String name, double[] into) {
      double[] from = numbers(name);
      if (from.length != into.length) {
        throw bad(name, "one of each of the %d groups of parameters".formatted(into.length));
      }
      System.arraycopy(from, 0, into, 0, into.length);
    }
  }

  /** Down by a factor when the metric has not become better for some evaluations. */
  private static final class Plateau extends MetricSchedule {
    Plateau(ScheduleArguments given, List<Double> rates) {
      super(Schedule.Type.REDUCE_LR_ON_PLATEAU, given, rates, 0.1, 1e-4, "rel", 0);
      given.requireFactor(factor, true);
    }

    @Override
    void step(double metric) {
      if (isBetter(metric)) {
        best = metric;
        bad = 0;
      } else {
        bad++;
      }
      if (cooling > 0) {
        cooling--;
        bad = 0;
      }
      if (bad > patience) {
        reduce();
        cooling = cooldown;
        bad = 0;
      }
    }
  }

  /** Up by a factor when it has become better for some evaluations, down when it has not. */
  private static final class Greedy extends MetricSchedule {
    private final List<Double> most;
    private final long warmup;
    private final long resetStart;
    private final int window;
    private final boolean smooth;

    private final double[] initial;
    // The metrics that are averaged, and their sum as additions and subtractions leave it.
    private final Deque<Double> values = new ArrayDeque<>();
    private double sum;
    private long good;
    private long warming;
    private long untilReset;

    Greedy(ScheduleArguments given, List<Double> rates) {
      super(Schedule.Type.GREEDY, given, rates, 0.95, 1e-6, "abs", 1e-3);
      given.requireFactor(factor, false);
      this.most = given.each("max_lr", rates.size(), 1);
      this.warmup = given.whole("warmup", 0, 0);
      this.smooth = given.flag("smooth");
      this.window = (int) Math.min(Integer.MAX_VALUE, given.whole("window_size", 1, 50));
      this.resetStart = given.whole("reset_start", 0, 500);
      this.initial = this.rates.clone();
      this.untilReset = resetStart;
    }

    @Override
    void step(double metric) {
      double current = smooth ? average(metric) : metric;
      if (cooling > 0) {
        cooling--;
        bad = 0;
        good = 0;
        return;
      }
      if (warming > 0) {
        warming--;
        bad = 0;
        good = 0;
        return;
      }
      if (isBetter(current)) {
        best = current;
        bad = 0;
        good++;
      } else {
        bad++;
        good = 0;
      }
      if (good > patience) {
        increase();
        warming = warmup;
        good = 0;
      } else if (bad > patience) {
        reduce();
        cooling = cooldown;
        bad = 0;
      }
    }

    private double average(double metric) {
      values.add(metric);
      sum += metric;
      if (values.size() > window) {
        sum -= values.remove();
      }
      return sum / values.size();
    }

    private void increase() {
      for (int i = 0; i < rates.length; i++) {
        double rate = Math.min(rates[i] / factor, most.get(i));
        if (rate - rates[i] > eps) {
          rates[i] = rate;
        }
      }
      untilReset = resetStart;
    }

    @Override
    void reduce() {
      super.reduce();
      for (int i = 0; i < rates.length; i++) {
        if (rates[i] > least.get(i)) {
          return;
        }
      }
      if (--untilReset <= 0) {
        forget();
      }
    }

    @Override
    void forget() {
      super.forget();
      System.arraycopy(initial, 0, rates, 0, rates.length);
      good = 0;
      warming = 0;
      untilReset = resetStart;
      values.clear();
      sum = 0;
    }

    @Override
    Map<String, Object> state() {
      Map<String, Object> state = super.state();
      state.put("num_good_epochs", good);
      state.put("warmup_counter", warming);
      state.put("reset_start", untilReset);
      state.put("init_lrs", list(initial));
      state.put("values", values.stream().map(MetricSchedule::json).toList());
      state.put("sum", json(sum));
      return state;
    }

    @Override
    void restore(State state) {
      super.restore(state);
      good = state.whole("num_good_epochs");
      warming = state.whole("warmup_counter");
      untilReset = state.whole("reset_start");
      state.rates("init_lrs", initial);
      values.clear();
      for (double value : state.numbers("values")) {
        values.add(value);
      }
      sum = state.number("sum");
    }
  }
}
