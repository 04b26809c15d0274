package dev.gatun.training;

import java.util.Arrays;
import java.util.Locale;
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
    COSINE,
    /** Up, then down to 0 by half a cosine several times. */
    COSINE_WITH_RESTARTS,
    /** Up, then down to {@code lr_end} by a power. */
    POLYNOMIAL,
    /** 1 for all updates. */
    CONSTANT,
    /** Up, then 1. */
    CONSTANT_WITH_WARMUP,
    /** Up, then down as the inverse square root of the update. */
    INVERSE_SQRT;

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
   * {@return the schedule of a type, with transformers' values of what it leaves open: one restart,
   * a polynomial of degree 1 that ends at 1e-7}
   *
   * @param type how the rate moves
   * @param warmup updates during which the factor grows from 0, at least 0; CONSTANT has none
   * @param total updates of the whole run
   * @param learningRate the rate that the factor is of
   * @throws IllegalArgumentException for a negative {@code warmup}, and for a polynomial's {@code
   *     learningRate} of 1e-7 or less
   */
  static Schedule of(Type type, long warmup, long total, double learningRate) {
    return switch (type) {
      case LINEAR -> linear(warmup, total);
      case COSINE -> cosine(warmup, total);
      case COSINE_WITH_RESTARTS -> cosineWithRestarts(warmup, total, 1);
      case POLYNOMIAL -> polynomial(warmup, total, learningRate, 1e-7, 1);
      case CONSTANT -> update -> 1;
      case CONSTANT_WITH_WARMUP -> constantWithWarmup(warmup);
      case INVERSE_SQRT -> inverseSqrt(warmup);
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
   * {@return the schedule that goes up during the warm-up, then by half a cosine down to 0 at
   * {@code total}}
   *
   * @param warmup updates during which the factor grows from 0, at least 0
   * @param total updates of the whole run
   */
  static Schedule cosine(long warmup, long total) {
    return warmed(
        warmup,
        update ->
            Math.max(0, 0.5 * (1 + Math.cos(Math.PI * (update - warmup) / rest(warmup, total)))));
  }

  /**
   * {@return the schedule that goes up during the warm-up, then by half a cosine down to 0 as many
   * times as {@code cycles} says}
   *
   * @param warmup updates during which the factor grows from 0, at least 0
   * @param total updates of the whole run; 0 from there on
   * @param cycles how many times it falls from 1, at least 1
   */
  static Schedule cosineWithRestarts(long warmup, long total, int cycles) {
    return warmed(
        warmup,
        update -> {
          double progress = (double) (update - warmup) / rest(warmup, total);
          return progress >= 1
              ? 0
              : Math.max(0, 0.5 * (1 + Math.cos(Math.PI * (cycles * progress % 1))));
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
   * after it, with the warm-up's length as t, or 10,000 without one}
   *
   * @param warmup updates during which the factor grows from 0, at least 0
   */
  static Schedule inverseSqrt(long warmup) {
    long timescale = warmup == 0 ? 10_000 : warmup;
    return warmed(
        warmup, update -> 1 / Math.sqrt((double) (update + timescale - warmup) / timescale));
  }

  private static Schedule warmed(long warmup, Schedule after) {
    if (warmup < 0) {
      throw new IllegalArgumentException(
          "schedule: %d updates of warm-up, expected at least 0".formatted(warmup));
    }
    return update -> update < warmup ? (double) update / Math.max(1, warmup) : after.factor(update);
  }

  private static double rest(long warmup, long total) {
    return Math.max(1, total - warmup);
  }
}
