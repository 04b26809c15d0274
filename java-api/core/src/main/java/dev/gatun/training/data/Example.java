package dev.gatun.training.data;

import java.util.List;
import java.util.Map;

/**
 * One record of a data set.
 *
 * @param fields its values by name, as JSON has them: texts, numbers, lists; a line of a text file
 *     has {@code text} alone
 * @param where it stands, for messages: a file and a line
 * @param document tells records of different documents apart; an empty line begins another
 */
public record Example(Map<String, Object> fields, String where, int document) {
  private static final String WEIGHT = "sample_weight";

  /**
   * {@return a record with the field {@code text} alone}
   *
   * @param text its value
   * @param where it stands, for messages: a file and a line
   * @param document tells records of different documents apart
   */
  public static Example ofText(String text, String where, int document) {
    return new Example(Map.of("text", text), where, document);
  }

  /**
   * {@return whether the record has a value of that name that is not null}
   *
   * @param name of a field
   */
  public boolean has(String name) {
    return fields.get(name) != null;
  }

  /**
   * {@return the text of the first of these names that the record has}
   *
   * @param names of fields, the preferred one first
   * @throws DatasetException when it has none of them, or another value than a text
   */
  public String text(String... names) {
    String name = first(names);
    if (fields.get(name) instanceof String text) {
      return text;
    }
    throw wrong(name, "a text");
  }

  /**
   * {@return the value of the first of these names that the record has}
   *
   * @param names of fields, the preferred one first
   * @throws DatasetException when it has none of them
   */
  public Object value(String... names) {
    return fields.get(first(names));
  }

  /**
   * {@return the list of the first of these names that the record has}
   *
   * @param names of fields, the preferred one first
   * @throws DatasetException when it has none of them, or another value than a list
   */
  public List<?> list(String... names) {
    String name = first(names);
    if (fields.get(name) instanceof List<?> list) {
      return list;
    }
    throw wrong(name, "a list");
  }

  /**
   * {@return what its labels weigh: the number of the field {@code sample_weight}, 1 without}
   *
   * @throws DatasetException for anything but a number from 0 on
   */
  public float weight() {
    if (!has(WEIGHT)) {
      return 1;
    }
    if (fields.get(WEIGHT) instanceof Number number
        && number.doubleValue() >= 0
        && Float.isFinite(number.floatValue())) {
      return number.floatValue();
    }
    throw wrong(WEIGHT, "0 or a positive number");
  }

  /** Requires that no weight is given. */
  void requireNoWeight(String objective) {
    if (has(WEIGHT)) {
      throw new DatasetException(
          "%s: field '%s': %s has no weights of samples".formatted(where, WEIGHT, objective));
    }
  }

  private String first(String... names) {
    for (String name : names) {
      if (has(name)) {
        return name;
      }
    }
    throw new DatasetException(
        "%s: no field %s, only %s"
            .formatted(where, String.join(" or ", quoted(names)), fields.keySet()));
  }

  private static List<String> quoted(String... names) {
    return List.of(names).stream().map(name -> "'" + name + "'").toList();
  }

  /**
   * {@return what to throw where a field's value is not what it should be}
   *
   * @param name of the field, which the message shows with its value
   * @param expected what would do, in words
   */
  public DatasetException wrong(String name, String expected) {
    String value = String.valueOf(fields.get(name));
    String shown = value.length() > 60 ? value.substring(0, 60) + "..." : value;
    return new DatasetException(
        "%s: field '%s' is %s, expected %s".formatted(where, name, shown, expected));
  }
}
