package dev.gatun.training.data;

import java.util.List;

/** Classes by their names and numbers. */
record LabelNames(List<String> names) {
  /**
   * The number of a class.
   *
   * @param field where the label is from
   * @param label a number, or a name
   */
  long number(Example example, String field, Object label) {
    if (label instanceof Integer || label instanceof Long) {
      long number = ((Number) label).longValue();
      if (number == Features.IGNORED || number >= 0 && number < names.size()) {
        return number;
      }
    } else if (label instanceof String name && names.contains(name)) {
      return names.indexOf(name);
    }
    throw new DatasetException(
        "%s: field '%s' has the label %s, expected 0 to %d or one of %s"
            .formatted(
                example.where(),
                field,
                label,
                names.size() - 1,
                names.size() > 12 ? names.subList(0, 12) + " and more" : names));
  }
}
