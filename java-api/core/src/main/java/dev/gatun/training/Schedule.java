package dev.gatun.training;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * How the learning rate moves: the factor of an update, counted from 0, as transformers' schedules
 * of the same names have it. Updates that were skipped do not count, nor do the batches whose
 * gradients an update adds up.
 */
@FunctionalInterface
public interface Schedule {
  /**
   * {@return what the learning rate is multiplied by for an update, counted from 0}
   *
   * @param update how many updates came before it, those that were skipped left out
   */
  double factor(long update);

  /** Hugging Face's {@code lr_scheduler_type}, in lower case. */
  enum Type {
    /** Up during the warm-up, then down to 0 at the last update. */
    LINEAR,
    /** Up, then down to 0 by half a cosine. */
    COSINE("num_cycles"),
    /** Up, then down to 0 by half a cosine several times. */
    COSINE_WITH_RESTARTS("num_cycles"),
    /** Up, then down to {@code lr_end} by a power. */
    POLYNOMIAL("lr_end", "power"),
    /** 1 for all updates. */
    CONSTANT,
    /** Up, then 1. */
    CONSTANT_WITH_WARMUP,
    /** Up, then down as the inverse square root of the update. */
    INVERSE_SQRT("timescale"),
    /** Up, then down to {@code min_lr} by half a cosine. */
    COSINE_WITH_MIN_LR("num_cycles", "min_lr", "min_lr_rate"),
    /** Up from above 0, then down to {@code min_lr} by half a cosine, an update ahead. */
    COSINE_WARMUP_WITH_MIN_LR("num_cycles", "min_lr", "min_lr_rate", "warmup_lr_rate"),
    /** Up, then 1, then down. */
    WARMUP_STABLE_DECAY(
        "num_decay_steps",
        "num_stable_steps",
        "warmup_type",
        "decay_type",
        "min_lr_ratio",
        "num_cycles"),
    /** Down by a factor when evaluations have not become better for a while, as torch has it. */
    REDUCE_LR_ON_PLATEAU(
        "mode", "factor", "patience", "threshold", "threshold_mode", "cooldown", "min_lr", "eps"),
    /** Up by a factor while evaluations become better, down when they have not for a while. */
    GREEDY(
        "mode",
        "factor",
        "patience",
        "threshold",
        "threshold_mode",
        "cooldown",
        "warmup",
        "min_lr",
        "max_lr",
        "eps",
        "smooth",
        "window_size",
        "reset_start");

    private final List<String> arguments;

    Type(String... arguments) {
      this.arguments = List.of(arguments);
    }

    /** {@return the names of the {@code lr_scheduler_kwargs} that it has} */
    public List<String> arguments() {
      return arguments;
    }

    /**
     * {@return whether the rate follows what evaluations tell, in a {@link Trainer}: then there is
     * no {@link Schedule} of it, and no warm-up}
     */
    public boolean followsEvaluations() {
      return this == REDUCE_LR_ON_PLATEAU || this == GREEDY;
    }

    /** {@return the name that Hugging Face gives it} */
    public String key() {
      return name().toLowerCase(Locale.ROOT);
    }

    /**
     * {@return the type of a name}
     *
     * @param key Hugging Face's name of it, see {@link #key}
     * @throws IllegalArgumentException when there is none, naming those that there are
     */
    public static Type of(String key) {
      return Arrays.stream(values())
          .filter(type -> type.key().equals(key))
          .findFirst()
          .orElseThrow(
              () ->
                  new IllegalArgumentException(
                      "lr_scheduler_type is '%s', expected one of %s"
                          .formatted(
                              key,
                              Arrays.stream(values())
                                  .map(Type::key)
                                  .collect(Collectors.joining(", ")))));
    }
  }

  /**
   * {@return the schedule of a type, with transformers' values of what is not given: one restart, a
   * polynomial of degree 1 that ends at 1e-7}
   *
   * @param type how the rate moves, by updates
   * @param kwargs Hugging Face's {@code lr_scheduler_kwargs}: what the type has beside the rest, by
   *     the names of {@link Type#arguments}; null as a value for as if it were not there
   * @param warmup updates during which the factor grows, at least 0; CONSTANT has none
   * @param total updates of the whole run
   * @param learningRate the rate that the factor is of
   * @throws IllegalArgumentException for a negative {@code warmup}, an argument that the type does
   *     not have or that it lacks, a value that it cannot have, and for a polynomial's {@code
   *     learningRate} that is not above its {@code lr_end}; for a type that {@link
   *     Type#followsEvaluations}
   */
  static Schedule of(
      Type type, Map<String, Object> kwargs, long warmup, long total, double learningRate) {
    ScheduleArguments given = new ScheduleArguments(type, kwargs);
    return switch (type) {
      case LINEAR -> linear(warmup, total);
      case COSINE -> cosine(warmup, total, given.number("num_cycles", 0.5), 0);
      case COSINE_WITH_RESTARTS ->
          cosineWithRestarts(warmup, total, given.whole("num_cycles", 1, 1));
      case POLYNOMIAL ->
          polynomial(
              warmup, total, learningRate, given.number("lr_end", 1e-7), given.number("power", 1));
      case CONSTANT -> update -> 1;
      case CONSTANT_WITH_WARMUP -> constantWithWarmup(warmup);
      case INVERSE_SQRT ->
          inverseSqrt(warmup, given.whole("timescale", 1, warmup == 0 ? 10_000 : warmup));
      case COSINE_WITH_MIN_LR ->
          cosine(warmup, total, given.number("num_cycles", 0.5), given.least(learningRate));
      case COSINE_WARMUP_WITH_MIN_LR ->
          cosineWithWarmupRate(
              warmup,
              total,
              given.number("num_cycles", 0.5),
              given.least(learningRate),
              given.number("warmup_lr_rate", Double.NaN));
      case WARMUP_STABLE_DECAY -> given.warmupStableDecay(warmup, total);
      case REDUCE_LR_ON_PLATEAU, GREEDY ->
          throw new IllegalArgumentException(
              "schedule: %s follows evaluations, expected one that updates alone tell"
                  .formatted(type.key()));
    };
  }

  /**
   * {@return the schedule that goes up during the warm-up, then down to 0 at {@code total}}
   *
   * @param warmup updates during which the factor grows from 0, at least 0
   * @param total updates of the whole run
   */
  static Schedule linear(long warmup, long total) {
    return warmed(warmup, update -> Math.max(0, (double) (total - update) / rest(warmup, total)));
  }

  /**
   * {@return the schedule that goes up during the warm-up, then by a cosine down to {@code least}}
   *
   * @param warmup updates during which the factor grows from 0, at least 0
   * @param total updates of the whole run
   * @param cycles waves of the cosine until {@code total}: half a one ends at its least
   * @param least the factor where the cosine is least
   */
  static Schedule cosine(long warmup, long total, double cycles, double least) {
    return warmed(
        warmup,
        update ->
            ScheduleArguments.above(
                least, ScheduleArguments.wave(cycles * (update - warmup) / rest(warmup, total))));
  }

  /**
   * {@return the schedule that goes up during the warm-up, then by a cosine down to {@code least},
   * where each update has the factor of the end of its stretch, as transformers' {@code
   * cosine_warmup_with_min_lr}}
   *
   * @param warmup updates during which the factor grows, at least 0; the last of them has 1
   * @param total updates of the whole run
   * @param cycles waves of the cosine until {@code total}: half a one ends at its least
   * @param least the factor where the cosine is least
   * @param first the factor of the first update; NaN for 1 / warmup
   */
  static Schedule cosineWithWarmupRate(
      long warmup, long total, double cycles, double least, double first) {
    return warmed(
        warmup,
        update ->
            Double.isNaN(first)
                ? (update + 1.0) / warmup
                : first + (1 - first) * update / Math.max(1, warmup - 1),
        update ->
            ScheduleArguments.above(
                least,
                ScheduleArguments.wave(cycles * (update - warmup + 1) / rest(warmup, total))));
  }

  /**
   * {@return the schedule that goes up during the warm-up, then by half a cosine down to 0 as many
   * times as {@code cycles} says}
   *
   * @param warmup updates during which the factor grows from 0, at least 0
   * @param total updates of the whole run; 0 from there on
   * @param cycles how many times it falls from 1, at least 1
   */
  static Schedule cosineWithRestarts(long warmup, long total, long cycles) {
    return warmed(
        warmup,
        update -> {
          double progress = (double) (update - warmup) / rest(warmup, total);
          return progress >= 1 ? 0 : ScheduleArguments.wave(cycles * progress % 1 / 2);
        });
  }

  /**
   * {@return the schedule that goes up during the warm-up, then down by a power}
   *
   * @param warmup updates during which the factor grows from 0, at least 0
   * @param total updates of the whole run
   * @param learningRate the rate that the factor is of
   * @param end the rate at {@code total} and after it, below {@code learningRate}
   * @param power of what is left of the updates
   * @throws IllegalArgumentException for a {@code learningRate} that is not above {@code end}
   */
  static Schedule polynomial(
      long warmup, long total, double learningRate, double end, double power) {
    if (!(learningRate > end)) {
      throw new IllegalArgumentException(
          "polynomial: learning_rate is %s, expected above the rate at the end, %s"
              .formatted(learningRate, end));
    }
    return warmed(
        warmup,
        update -> {
          if (update >= total) {
            return end / learningRate;
          }
          double left = 1 - (double) (update - warmup) / (total - warmup);
          return ((learningRate - end) * Math.pow(left, power) + end) / learningRate;
        });
  }

  /**
   * {@return the schedule that goes up during the warm-up, then stays at 1}
   *
   * @param warmup updates during which the factor grows from 0, at least 0
   */
  static Schedule constantWithWarmup(long warmup) {
    return warmed(warmup, update -> 1);
  }

  /**
   * {@return the schedule that goes up during the warm-up, then is {@code √(t / (t + n))} n updates
   * after it}
   *
   * @param warmup updates during which the factor grows from 0, at least 0
   * @param timescale t, at least 1
   */
  static Schedule inverseSqrt(long warmup, long timescale) {
    return warmed(
        warmup, update -> 1 / Math.sqrt((double) (update + timescale - warmup) / timescale));
  }

  private static Schedule warmed(long warmup, Schedule after) {
    return warmed(warmup, update -> (double) update / Math.max(1, warmup), after);
  }

  /**
   * {@return the schedule of a run that has one factor during its warm-up and another after it}
   *
   * @param warmup updates of the warm-up, at least 0
   * @param during the factor of the warm-up
   * @param after the factor of the updates after it
   * @throws IllegalArgumentException for a negative {@code warmup}
   */
  static Schedule warmed(long warmup, Schedule during, Schedule after) {
    if (warmup < 0) {
      throw new IllegalArgumentException(
          "schedule: %d updates of warm-up, expected at least 0".formatted(warmup));
    }
    return update -> (update < warmup ? during : after).factor(update);
  }

  private static double rest(long warmup, long total) {
    return Math.max(1, total - warmup);
  }
}
