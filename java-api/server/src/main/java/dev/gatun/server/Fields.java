package dev.gatun.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.BiConsumer;

/**
 * The parameters of a request. Each that is asked for is known; {@link #finish} refuses the others,
 * so that none is ignored in silence. One that is null is one that was not given.
 */
final class Fields {
  private final ObjectNode node;
  private final String path;
  private final Set<String> known = new HashSet<>();
  private final Set<String> refused = new HashSet<>();

  Fields(ObjectNode node) {
    this(node, "");
  }

  private Fields(ObjectNode node, String path) {
    this.node = node;
    this.path = path;
  }

  /** The name of a parameter as messages have it, such as {@code messages[0].role}. */
  String name(String key) {
    return path + key;
  }

  /** A value; null where it is not given. */
  JsonNode any(String key) {
    known.add(key);
    return given(key);
  }

  private JsonNode given(String key) {
    JsonNode value = node.get(key);
    return value == null || value.isNull() ? null : value;
  }

  private JsonNode of(String key, boolean isRight, String expected) {
    JsonNode value = any(key);
    if (value != null && !isRight) {
      throw wrongType(name(key), value, expected);
    }
    return value;
  }

  static ApiException wrongType(String name, JsonNode value, String expected) {
    return ApiException.badRequest(
        name, "invalid_type", "%s is %s, expected %s".formatted(name, article(value), expected));
  }

  private static String article(JsonNode value) {
    return switch (value.getNodeType()) {
      case ARRAY -> "an array";
      case OBJECT -> "an object";
      case STRING -> "a string";
      case NUMBER -> "the number " + value;
      case BOOLEAN -> "the boolean " + value;
      default -> "null";
    };
  }

  private JsonNode raw(String key) {
    JsonNode value = node.get(key);
    return value == null ? node.nullNode() : value;
  }

  Optional<String> text(String key) {
    JsonNode value = of(key, raw(key).isTextual(), "a string");
    return Optional.ofNullable(value).map(JsonNode::textValue);
  }

  /** A text that has to be there. */
  String requiredText(String key) {
    return text(key).orElseThrow(() -> missing(key));
  }

  ApiException missing(String key) {
    return ApiException.badRequest(
        name(key), "missing_required_parameter", name(key) + " is missing");
  }

  boolean flag(String key, boolean otherwise) {
    JsonNode value = of(key, raw(key).isBoolean(), "a boolean");
    return value == null ? otherwise : value.booleanValue();
  }

  OptionalLong wholeNumber(String key) {
    JsonNode value = of(key, isWhole(raw(key)), "a whole number of 64 bits");
    return value == null ? OptionalLong.empty() : OptionalLong.of(value.longValue());
  }

  static boolean isWhole(JsonNode value) {
    return value.isNumber() && value.canConvertToExactIntegral() && value.canConvertToLong();
  }

  OptionalInt integer(String key, int least, int most) {
    JsonNode value = of(key, isWhole(raw(key)), "a whole number");
    if (value == null) {
      return OptionalInt.empty();
    }
    long number = value.longValue();
    if (number < least || number > most) {
      throw ApiException.wrong(
          name(key),
          "%d, expected a whole number %s"
              .formatted(number, range(String.valueOf(least), most, Integer.MAX_VALUE)));
    }
    return OptionalInt.of((int) number);
  }

  OptionalDouble number(String key, double least, double most) {
    JsonNode value = of(key, raw(key).isNumber(), "a number");
    if (value == null) {
      return OptionalDouble.empty();
    }
    double number = value.doubleValue();
    if (!(number >= least && number <= most)) {
      throw ApiException.wrong(
          name(key),
          "%s, expected a number %s".formatted(value, range(shown(least), most, Double.MAX_VALUE)));
    }
    return OptionalDouble.of(number);
  }

  private static String range(String least, double most, double unbounded) {
    return most == unbounded ? "from " + least : "of %s to %s".formatted(least, shown(most));
  }

  private static String shown(double number) {
    return number == Math.rint(number) ? String.valueOf((long) number) : String.valueOf(number);
  }

  /** An object's own parameters. */
  Optional<Fields> object(String key) {
    JsonNode value = of(key, raw(key).isObject(), "an object");
    return Optional.ofNullable((ObjectNode) value).map(each -> new Fields(each, name(key) + "."));
  }

  /** Gives every parameter to an action: all are known then. */
  void forEach(BiConsumer<String, JsonNode> action) {
    node.properties().forEach(entry -> action.accept(entry.getKey(), entry.getValue()));
  }

  /** An array's elements; null where it is not given. */
  List<JsonNode> array(String key) {
    JsonNode value = of(key, raw(key).isArray(), "an array");
    if (value == null) {
      return null;
    }
    List<JsonNode> elements = new ArrayList<>();
    value.forEach(elements::add);
    return elements;
  }

  /** The parameters of an element of an array. */
  Fields element(String key, int index, JsonNode element) {
    String name = "%s[%d]".formatted(name(key), index);
    if (!(element instanceof ObjectNode object)) {
      throw wrongType(name, element, "an object");
    }
    return new Fields(object, name + ".");
  }

  /** What changes no answer, and may be given. */
  void harmless(String... keys) {
    known.addAll(List.of(keys));
  }

  /** Refuses a parameter of the protocol where it is given. */
  void refuse(String key, String why) {
    refused.add(key);
    if (given(key) != null) {
      throw unsupported(name(key), why);
    }
  }

  /** Refuses a parameter of the protocol unless it says what is done anyway. */
  void refuseUnless(String key, JsonNode usual, String why) {
    JsonNode value = any(key);
    if (value != null && !value.equals(usual)) {
      throw unsupported(name(key), why);
    }
  }

  static ApiException unsupported(String name, String why) {
    return ApiException.badRequest(
        name, "unsupported_parameter", name + " is not supported: " + why);
  }

  /**
   * Refuses what nobody asked for.
   *
   * @throws ApiException that names the first such parameter
   */
  void finish() {
    for (String key : (Iterable<String>) node::fieldNames) {
      if (!known.contains(key) && !refused.contains(key)) {
        throw ApiException.badRequest(
            name(key),
            "unknown_parameter",
            "%s is not known here; known are %s".formatted(name(key), new TreeSet<>(known)));
      }
    }
  }
}
