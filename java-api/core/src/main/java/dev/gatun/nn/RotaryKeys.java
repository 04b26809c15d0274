package dev.gatun.nn;

import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/** Rotary settings by their names in a {@code config.json}; null counts as missing. */
final class RotaryKeys {
  private final Map<String, ?> map;
  private final Set<String> asked = new HashSet<>();

  RotaryKeys(Map<String, ?> map) {
    this.map = map;
  }

  Map<String, ?> map() {
    return map;
  }

  /** Those that nobody asked for, in the order of the alphabet. */
  Set<String> unread() {
    Set<String> unread = new TreeSet<>(map.keySet());
    unread.removeIf(key -> asked.contains(key) || map.get(key) == null);
    return unread;
  }

  boolean has(String key) {
    return get(key) != null;
  }

  private Object get(String key) {
    asked.add(key);
    return map.get(key);
  }

  String text(String key) {
    if (get(key) instanceof String text) {
      return text;
    }
    throw bad(key, "a text");
  }

  /** A finite number above a limit. */
  double above(String key, double limit) {
    double value = number(key, "a number above " + limit);
    if (!(value > limit && value < Double.POSITIVE_INFINITY)) {
      throw bad(key, "a number above " + limit);
    }
    return value;
  }

  /** A finite number above a limit where it is given. */
  double above(String key, double limit, double otherwise) {
    return has(key) ? above(key, limit) : otherwise;
  }

  /** A finite number from 0 where it is given. */
  double fromZero(String key, double otherwise) {
    if (!has(key)) {
      return otherwise;
    }
    double value = number(key, "a number from 0");
    if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
      throw bad(key, "a number from 0");
    }
    return value;
  }

  /** An integer from a limit to 2^31 - 1. */
  int integer(String key, int from) {
    String expected = "an integer from %d to %d".formatted(from, Integer.MAX_VALUE);
    double value = number(key, expected);
    if (!(value >= from && value <= Integer.MAX_VALUE) || value != Math.rint(value)) {
      throw bad(key, expected);
    }
    return (int) value;
  }

  boolean flag(String key, boolean otherwise) {
    if (!has(key)) {
      return otherwise;
    }
    if (get(key) instanceof Boolean flag) {
      return flag;
    }
    throw bad(key, "true or false");
  }

  /** A list of finite numbers above 0. */
  float[] factors(String key) {
    if (!(get(key) instanceof List<?> list)) {
      throw bad(key, "a list of numbers above 0");
    }
    float[] factors = new float[list.size()];
    for (int i = 0; i < factors.length; i++) {
      float factor = list.get(i) instanceof Number number ? number.floatValue() : Float.NaN;
      if (!(factor > 0 && factor < Float.POSITIVE_INFINITY)) {
        throw new IllegalArgumentException(
            "rotary: '%s' has %s at %d, expected numbers above 0".formatted(key, list.get(i), i));
      }
      factors[i] = factor;
    }
    return factors;
  }

  IllegalArgumentException bad(String key, String expected) {
    String found = has(key) ? "is " + get(key) : "is missing";
    return new IllegalArgumentException(
        "rotary: '%s' %s, expected %s".formatted(key, found, expected));
  }

  private double number(String key, String expected) {
    if (get(key) instanceof Number number) {
      return number.doubleValue();
    }
    throw bad(key, expected);
  }
}
