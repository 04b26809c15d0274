package dev.gatun.models;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** What a sequence classifier's labels mean: Hugging Face's {@code problem_type}. */
public enum ProblemType {
  /** The scores are numbers to be predicted. */
  REGRESSION,
  /** One label is right. */
  SINGLE_LABEL_CLASSIFICATION,
  /** Each label by itself is right or wrong. */
  MULTI_LABEL_CLASSIFICATION;

  /** The type that a configuration names; null where it names none. */
  static ProblemType of(Config config) {
    String name = config.text("problem_type", null);
    if (name == null) {
      return null;
    }
    for (ProblemType type : values()) {
      if (type.key().equals(name)) {
        return type;
      }
    }
    throw config.error(
        "'problem_type' is \"%s\", expected one of %s"
            .formatted(
                name,
                Arrays.stream(values()).map(ProblemType::key).collect(Collectors.joining(", "))));
  }

  private String key() {
    return name().toLowerCase(Locale.ROOT);
  }
}
