package dev.gatun.text.jinja;

import java.util.List;

/**
 * A sequence that is not a list.
 *
 * @param kind what it is
 * @param items its elements
 */
record Seq(Kind kind, List<Object> items) {
  enum Kind {
    TUPLE("tuple"),
    RANGE("range"),
    KEYS("dict_keys"),
    VALUES("dict_values"),
    ITEMS("dict_items");

    final String type;

    Kind(String type) {
      this.type = type;
    }

    boolean isView() {
      return this != TUPLE && this != RANGE;
    }
  }

  static Seq tuple(Object... items) {
    return new Seq(Kind.TUPLE, java.util.Arrays.asList(items));
  }
}
