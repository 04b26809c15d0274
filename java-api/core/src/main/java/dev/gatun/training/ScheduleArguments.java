package dev.gatun.training;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** Hugging Face's {@code lr_scheduler_kwargs}. */
final class ScheduleArguments {
  private final Map<String, Object> values;

  /** How a factor falls from 1 to 0, or rises where it is followed backwards. */
  private enum Curve {
    LINEAR {
      @Override
      double at(double progress, double cycles) {
        return 1 - progress;
      }
    },
    COSINE {
      @Override
      double at(double progress, double cycles) {
        return wave(cycles * progress);
      }
    },
    SQRT {
      @Override
      double at(double progress, double cycles) {
        return 1 - Math.sqrt(progress);
      }
    };

    abstract double at(double progress, double cycles);
  }

  /**
   * Those of a type.
   *
   * @throws IllegalArgumentException for one that the type does not have
   */
  ScheduleArguments(Schedule.Type type, Map<String, Object> values) {
    for (String name : values.keySet()) {
      if (!type.arguments().contains(name)) {
        throw bad(
            "has %s, expected %s", name, OptimizerArguments.those(type.key(), type.arguments()));
      }
    }
    this.values = values;
  }

  /** From 0 waves, where it is 1, to half a one, where it is 0. */
  static double wave(double waves) {
    return 0.5 * (1 + Math.cos(2 * Math.PI * waves));
  }

  /** A share of what is above the least factor. */
  static double above(double least, double share) {
    return Math.max(0, share * (1 - least) + least);
  }

  double number(String name, double otherwise) {
    Object value = values.get(name);
    return value == null ? otherwise : number(name, value);
  }

  private static double number(String name, Object value) {
    if (!(value instanceof Number number) || !Double.isFinite(number.doubleValue())) {
      throw bad("has %s=%s, expected a number", name, value);
    }
    return number.doubleValue();
  }

  /** A number of each group of parameters, which is given for all of them or in a list. */
  List<Double> each(String name, int groups, double otherwise) {
    if (!(values.get(name) instanceof List<?> list)) {
      return Collections.nCopies(groups, share(name, otherwise));
    }
    if (list.size() != groups) {
      throw bad(
          "has %s=%s, expected a number or one of each of the %d groups of parameters",
          name, list, groups);
    }
    List<Double> each = new ArrayList<>();
    for (Object value : list) {
      each.add(share(name, value));
    }
    return each;
  }

  boolean flag(String name) {
    Object value = values.get(name);
    if (value == null || value instanceof Boolean) {
      return Boolean.TRUE.equals(value);
    }
    throw bad("has %s=%s, expected true or false", name, value);
  }

  /** One of two names, the first of them where none is given. */
  String of(String name, String otherwise, String other) {
    Object value = values.get(name);
    if (value == null || otherwise.equals(value)) {
      return otherwise;
    }
    if (!other.equals(value)) {
      throw bad("has %s=%s, expected %s or %s", name, value, otherwise, other);
    }
    return other;
  }

  void requireFactor(double factor, boolean mayBeZero) {
    if (!(factor < 1) || factor < 0 || factor == 0 && !mayBeZero) {
      throw bad(
          "has factor=%s, expected %s below 1",
          values.get("factor"), mayBeZero ? "at least 0 and" : "above 0 and");
    }
  }

  long whole(String name, long least, long otherwise) {
    double value = number(name, otherwise);
    if (value != Math.rint(value) || value < least || value > Long.MAX_VALUE / 4) {
      throw bad("has %s=%s, expected a whole number from %d on", name, values.get(name), least);
    }
    return (long) value;
  }

  /** The least factor, which is given as such or as a rate. */
  double least(double learningRate) {
    boolean asRate = values.get("min_lr") != null;
    if (asRate == (values.get("min_lr_rate") != null)) {
      throw bad(
          "has %s, expected one of them",
          asRate ? "both min_lr and min_lr_rate" : "neither min_lr nor min_lr_rate");
    }
    return asRate ? share("min_lr", 0) / learningRate : share("min_lr_rate", 0);
  }

  Schedule warmupStableDecay(long warmup, long total) {
    if (values.get("num_decay_steps") == null) {
      throw bad("has no num_decay_steps, expected updates during which the rate falls");
    }
    long decay = whole("num_decay_steps", 0, 0);
    long stable = whole("num_stable_steps", 0, Math.max(0, total - warmup - decay));
    if (values.get("num_stable_steps") == null && total < warmup + decay) {
      throw bad(
          "has num_decay_steps=%d, expected at most the %d of %d updates that %d of warm-up leave",
          decay, Math.max(0, total - warmup), total, warmup);
    }
    double least = share("min_lr_ratio", 0);
    double cycles = number("num_cycles", 0.5);
    Curve up = curve("warmup_type", "linear");
    Curve down = curve("decay_type", "cosine");
    long from = warmup + stable;
    return Schedule.warmed(
        warmup,
        update -> above(least, up.at(1 - (double) update / warmup, 0.5)),
        update -> {
          if (update < from) {
            return 1;
          }
          return update < from + decay
              ? above(least, down.at((double) (update - from) / decay, cycles))
              : least;
        });
  }

  double share(String name, double otherwise) {
    Object value = values.get(name);
    return value == null ? otherwise : share(name, value);
  }

  private static double share(String name, Object value) {
    double share = number(name, value);
    if (share < 0) {
      throw bad("has %s=%s, expected at least 0", name, value);
    }
    return share;
  }

  private Curve curve(String name, String otherwise) {
    Object value = values.get(name);
    return switch (value == null ? otherwise : value.toString()) {
      case "linear" -> Curve.LINEAR;
      case "cosine" -> Curve.COSINE;
      case "1-sqrt" -> Curve.SQRT;
      default -> throw bad("has %s=%s, expected linear, cosine or 1-sqrt", name, value);
    };
  }

  private static IllegalArgumentException bad(String message, Object... what) {
    return new IllegalArgumentException("training: lr_scheduler_kwargs " + message.formatted(what));
  }
}
