package dev.gatun.training;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Hugging Face's {@code optim_args}: {@code NAME=VALUE}, separated by commas. */
final class OptimizerArguments {
  // As transformers reads them.
  private static final List<String> TRUE = List.of("true", "1", "yes");
  private static final List<String> FALSE = List.of("false", "0", "no");

  private final Map<String, String> values;

  private OptimizerArguments(Map<String, String> values) {
    this.values = values;
  }

  /**
   * Those of an optimiser.
   *
   * @throws IllegalArgumentException for what is no pair, comes twice, or is no argument of the
   *     optimiser
   */
  static OptimizerArguments of(OptimizerType type, String text) {
    Map<String, String> values = new HashMap<>();
    String packed = text.replace(" ", "");
    if (!packed.isEmpty()) {
      for (String pair : packed.split(",", -1)) {
        int equals = pair.indexOf('=');
        if (equals < 1) {
          throw bad("has '%s', expected NAME=VALUE", pair);
        }
        String name = pair.substring(0, equals);
        if (!type.arguments().contains(name)) {
          throw bad("has %s, expected %s", name, those(type.key(), type.arguments()));
        }
        if (values.put(name, pair.substring(equals + 1)) != null) {
          throw bad("has %s twice, expected it once", name);
        }
      }
    }
    return new OptimizerArguments(values);
  }

  /** What a setting that has arguments takes, for a message. */
  static String those(String key, List<String> arguments) {
    return arguments.isEmpty()
        ? "none for " + key
        : "of %s only %s".formatted(key, String.join(", ", arguments));
  }

  double number(String name, double otherwise) {
    String value = values.get(name);
    try {
      return value == null ? otherwise : Double.parseDouble(value);
    } catch (NumberFormatException e) {
      throw bad("has %s=%s, expected a number", name, value);
    }
  }

  boolean flag(String name) {
    String value = values.getOrDefault(name, "false").toLowerCase(Locale.ROOT);
    if (!TRUE.contains(value) && !FALSE.contains(value)) {
      throw bad("has %s=%s, expected true or false", name, value);
    }
    return TRUE.contains(value);
  }

  private static IllegalArgumentException bad(String message, Object... what) {
    return new IllegalArgumentException("training: optim_args " + message.formatted(what));
  }
}
