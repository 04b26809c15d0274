package dev.gatun.generation.constraint;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** What one or more JSON schemas ask for together, with a choice made wherever they have one. */
final class Schema {
  /** The kinds of JSON values; integers are numbers, see {@link #integers}. */
  enum Type {
    NULL,
    BOOLEAN,
    NUMBER,
    STRING,
    ARRAY,
    OBJECT
  }

  /**
   * A schema with its place.
   *
   * @param pointer of the document, as JSON pointer with a # before it
   */
  record Located(JsonNode node, String pointer) {}

  /** What one schema says of an array's elements. */
  record Elements(List<Located> prefix, Located rest) {}

  /** What one schema says of an object's members; {@code rest} is null for anything. */
  record Members(Map<String, Located> named, Map<String, Located> patterned, Located rest) {}

  private final Set<Type> types = EnumSet.allOf(Type.class);
  private boolean impossible;

  /** Whether numbers are integers. */
  boolean integers;

  /** The values that it may be; null for any. */
  List<JsonNode> values;

  BigDecimal least;
  boolean leastExcluded;
  BigDecimal most;
  boolean mostExcluded;
  final List<Located> multiples = new ArrayList<>();

  int minLength;
  int maxLength = Integer.MAX_VALUE;
  final List<Located> patterns = new ArrayList<>();
  final List<Located> formats = new ArrayList<>();

  int minItems;
  int maxItems = Integer.MAX_VALUE;
  final List<Elements> elements = new ArrayList<>();

  int minProperties;
  int maxProperties = Integer.MAX_VALUE;
  final Set<String> required = new LinkedHashSet<>();
  final List<Members> members = new ArrayList<>();

  /** Where what has no place of its own is told. */
  final String pointer;

  Schema(String pointer) {
    this.pointer = pointer;
  }

  void never() {
    impossible = true;
  }

  /** Leaves only some types. */
  void retain(Set<Type> some) {
    types.retainAll(some);
  }

  Set<Type> types() {
    return impossible ? Set.of() : types;
  }

  boolean has(Type type) {
    return !impossible && types.contains(type);
  }

  /** Leaves the values that are in this list too. */
  void retainValues(List<JsonNode> some) {
    if (values == null) {
      values = some;
      return;
    }
    values =
        values.stream().filter(value -> some.stream().anyMatch(o -> isEqual(value, o))).toList();
  }

  void atLeast(BigDecimal bound, boolean excluded) {
    int order = least == null ? 1 : bound.compareTo(least);
    if (order > 0 || order == 0 && excluded) {
      least = bound;
      leastExcluded = excluded;
    }
  }

  void atMost(BigDecimal bound, boolean excluded) {
    int order = most == null ? -1 : bound.compareTo(most);
    if (order < 0 || order == 0 && excluded) {
      most = bound;
      mostExcluded = excluded;
    }
  }

  static Type type(JsonNode value) {
    return switch (value.getNodeType()) {
      case NULL -> Type.NULL;
      case BOOLEAN -> Type.BOOLEAN;
      case NUMBER -> Type.NUMBER;
      case ARRAY -> Type.ARRAY;
      case OBJECT -> Type.OBJECT;
      default -> Type.STRING;
    };
  }

  /** Whether two values are the same JSON: numbers by their value. */
  static boolean isEqual(JsonNode a, JsonNode b) {
    return a.equals(
        Comparator.comparing(
            x -> x,
            (x, y) -> {
              if (x.isNumber() && y.isNumber()) {
                return x.decimalValue().compareTo(y.decimalValue());
              }
              return x.equals(y) ? 0 : 1;
            }),
        b);
  }

  /** The names that are spoken of, in their order. */
  Set<String> names() {
    Set<String> names = new LinkedHashSet<>();
    members.forEach(each -> names.addAll(each.named.keySet()));
    names.addAll(required);
    return names;
  }

  /** All that is said of a member. */
  List<Located> member(String name, SchemaPatterns patterns) {
    List<Located> all = new ArrayList<>();
    for (Members each : members) {
      int before = all.size();
      if (each.named.containsKey(name)) {
        all.add(each.named.get(name));
      }
      each.patterned.forEach(
          (pattern, schema) -> {
            if (patterns.matches(pattern, name)) {
              all.add(schema);
            }
          });
      if (all.size() == before && each.rest != null) {
        all.add(each.rest);
      }
    }
    return all;
  }

  /** All patterns of names. */
  Set<String> namePatterns() {
    Set<String> all = new LinkedHashSet<>();
    members.forEach(each -> all.addAll(each.patterned.keySet()));
    return all;
  }

  /**
   * All that is said of members that have no name of theirs.
   *
   * @param matched the patterns that their names match
   */
  List<Located> otherMember(Set<String> matched) {
    List<Located> all = new ArrayList<>();
    for (Members each : members) {
      int before = all.size();
      each.patterned.forEach(
          (pattern, schema) -> {
            if (matched.contains(pattern)) {
              all.add(schema);
            }
          });
      if (all.size() == before && each.rest != null) {
        all.add(each.rest);
      }
    }
    return all;
  }

  /** The longest list of elements that have a schema each. */
  int prefix() {
    return elements.stream().mapToInt(each -> each.prefix.size()).max().orElse(0);
  }

  /** All that is said of an element. */
  List<Located> element(int index) {
    List<Located> all = new ArrayList<>();
    for (Elements each : elements) {
      if (index < each.prefix.size()) {
        all.add(each.prefix.get(index));
      } else if (each.rest != null) {
        all.add(each.rest);
      }
    }
    return all;
  }

  /** An empty map, in which order is kept. */
  static <V> Map<String, V> map() {
    return new LinkedHashMap<>();
  }
}
