package dev.gatun.generation.constraint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.gatun.files.Json;
import dev.gatun.generation.constraint.Schema.Elements;
import dev.gatun.generation.constraint.Schema.Located;
import dev.gatun.generation.constraint.Schema.Members;
import dev.gatun.generation.constraint.Schema.Type;
import java.math.BigDecimal;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Reads a JSON schema of draft 2020-12. {@link #expand} gives all that some schemas ask for
 * together, once for each choice that they have. A keyword that is not known, or whose meaning is
 * not done, is an error that names its path.
 */
final class SchemaReader {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  /** What describes a value and does not restrict it, and what holds schemas for references. */
  private static final Set<String> ANNOTATIONS =
      Set.of(
          "$schema",
          "$id",
          "$anchor",
          "$comment",
          "$defs",
          "definitions",
          "title",
          "description",
          "default",
          "example",
          "examples",
          "deprecated",
          "readOnly",
          "writeOnly",
          "contentMediaType",
          "contentEncoding",
          "contentSchema",
          "discriminator");

  private static final int MOST_ALTERNATIVES = 1024;

  private final Located root;
  private final SchemaPatterns patterns;
  private final Map<String, Located> anchors = new HashMap<>();

  SchemaReader(String text, SchemaPatterns patterns) {
    this.patterns = patterns;
    try {
      this.root = new Located(JSON.readTree(text), "#");
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "JSON schema, line %d, column %d: %s"
              .formatted(e.getLocation().getLineNr(), e.getLocation().getColumnNr(), Json.told(e)),
          e);
    }
    if (root.node().isMissingNode()) {
      throw new IllegalArgumentException("JSON schema: it is empty");
    }
    findAnchors(root);
  }

  private void findAnchors(Located at) {
    if (at.node().path("$anchor").isTextual()) {
      anchors.put(at.node().path("$anchor").textValue(), at);
    }
    at.node()
        .properties()
        .forEach(e -> findAnchors(new Located(e.getValue(), child(at.pointer(), e.getKey()))));
    for (int i = 0; at.node().isArray() && i < at.node().size(); i++) {
      findAnchors(new Located(at.node().get(i), at.pointer() + "/" + i));
    }
  }

  Located root() {
    return root;
  }

  static String child(String pointer, String key) {
    return pointer + "/" + key.replace("~", "~0").replace("/", "~1");
  }

  static IllegalArgumentException wrong(String pointer, String what) {
    return new IllegalArgumentException("JSON schema, %s: %s".formatted(pointer, what));
  }

  /** All ways to keep to some schemas at once. */
  List<Schema> expand(List<Located> schemas) {
    List<Schema> found = new ArrayList<>();
    expand(schemas, new LinkedHashMap<>(), found);
    return found;
  }

  private void expand(List<Located> schemas, Map<String, Integer> choices, List<Schema> found) {
    Merge merge = new Merge(schemas, choices);
    if (merge.open == null) {
      if (!merge.schema.types().isEmpty()) {
        found.add(merge.schema);
      }
      if (found.size() > MOST_ALTERNATIVES) {
        throw wrong(
            merge.schema.pointer,
            "anyOf and oneOf have more than %d combinations".formatted(MOST_ALTERNATIVES));
      }
      return;
    }
    Located open = merge.open;
    List<List<Schema>> options = new ArrayList<>();
    for (int i = 0; i < open.node().size(); i++) {
      Map<String, Integer> more = new LinkedHashMap<>(choices);
      more.put(open.pointer(), i);
      List<Schema> some = new ArrayList<>();
      expand(schemas, more, some);
      options.add(some);
    }
    if (open.pointer().endsWith("/oneOf")) {
      requireDisjoint(open.pointer(), options);
    }
    options.forEach(found::addAll);
  }

  private void requireDisjoint(String pointer, List<List<Schema>> options) {
    SchemaOverlap overlap = new SchemaOverlap(this, patterns);
    for (int i = 0; i < options.size(); i++) {
      for (int j = 0; j < i; j++) {
        for (Schema a : options.get(i)) {
          for (Schema b : options.get(j)) {
            if (!overlap.areDisjoint(a, b)) {
              throw wrong(
                  pointer,
                  ("oneOf is supported where no value is in two of its schemas; %d and %d may have"
                          + " one in common: tell them apart by type, const or a required property,"
                          + " or use anyOf")
                      .formatted(j, i));
            }
          }
        }
      }
    }
  }

  /** Some schemas as one, as far as choices are made. */
  private final class Merge {
    private final Map<String, Integer> choices;
    private final Set<String> path = new HashSet<>();
    private final Schema schema;
    // The first choice that is to be made.
    private Located open;

    Merge(List<Located> schemas, Map<String, Integer> choices) {
      this.choices = choices;
      this.schema = new Schema(schemas.isEmpty() ? "#" : schemas.getFirst().pointer());
      schemas.forEach(this::add);
    }

    private void add(Located at) {
      JsonNode node = at.node();
      if (node.isBoolean()) {
        if (!node.booleanValue()) {
          schema.never();
        }
        return;
      }
      if (!node.isObject()) {
        throw wrong(at.pointer(), "expected a schema: an object, true or false");
      }
      if (!path.add(at.pointer())) {
        throw wrong(at.pointer(), "the schema refers to itself without anything between");
      }
      Reading reading = new Reading(at);
      node.properties().forEach(e -> keyword(reading, e.getKey(), e.getValue()));
      elements(at);
      members(at);
      path.remove(at.pointer());
    }

    private void keyword(Reading r, String key, JsonNode value) {
      Located at = new Located(value, child(r.at.pointer(), key));
      switch (key) {
        case "$ref" -> add(resolve(r.text(key), at.pointer()));
        case "allOf" -> r.schemas(key).forEach(this::add);
        case "anyOf", "oneOf" -> choose(at, r.schemas(key));
        case "type" -> type(at);
        case "enum" -> schema.retainValues(r.list(key));
        case "const" -> schema.retainValues(List.of(value));
        case "minLength" -> schema.minLength = Math.max(schema.minLength, r.count(key));
        case "maxLength" -> schema.maxLength = Math.min(schema.maxLength, r.count(key));
        case "pattern" -> {
          try {
            patterns.expression(r.text(key));
          } catch (IllegalArgumentException e) {
            throw wrong(at.pointer(), e.getMessage());
          }
          schema.patterns.add(at);
        }
        case "format" -> format(r.text(key), at);
        case "minimum" -> schema.atLeast(r.number(key), false);
        case "exclusiveMinimum" -> schema.atLeast(r.number(key), true);
        case "maximum" -> schema.atMost(r.number(key), false);
        case "exclusiveMaximum" -> schema.atMost(r.number(key), true);
        case "multipleOf" -> {
          if (r.number(key).signum() <= 0) {
            throw wrong(at.pointer(), "multipleOf is %s, expected more than 0".formatted(value));
          }
          schema.multiples.add(at);
        }
        case "minItems" -> schema.minItems = Math.max(schema.minItems, r.count(key));
        case "maxItems" -> schema.maxItems = Math.min(schema.maxItems, r.count(key));
        case "minProperties" -> schema.minProperties = Math.max(schema.minProperties, r.count(key));
        case "maxProperties" -> schema.maxProperties = Math.min(schema.maxProperties, r.count(key));
        case "required" -> schema.required.addAll(r.texts(key));
        // These are read together, behind all others.
        case "prefixItems", "items", "properties", "patternProperties", "additionalProperties" -> {}
        case "uniqueItems" -> {
          if (!value.isBoolean() || value.booleanValue()) {
            throw unsupported(at, key);
          }
        }
        default -> {
          if (!ANNOTATIONS.contains(key) && !key.startsWith("x-")) {
            throw unsupported(at, key);
          }
        }
      }
    }

    private void choose(Located at, List<Located> options) {
      Integer chosen = choices.get(at.pointer());
      if (chosen != null) {
        add(options.get(chosen));
      } else if (open == null) {
        open = at;
      }
    }

    private void type(Located at) {
      Set<Type> types = EnumSet.noneOf(Type.class);
      boolean integer = false;
      boolean number = false;
      Iterable<JsonNode> names = at.node().isArray() ? at.node() : List.of(at.node());
      for (JsonNode name : names) {
        switch (name.asText()) {
          case "null" -> types.add(Type.NULL);
          case "boolean" -> types.add(Type.BOOLEAN);
          case "string" -> types.add(Type.STRING);
          case "array" -> types.add(Type.ARRAY);
          case "object" -> types.add(Type.OBJECT);
          case "number" -> number = true;
          case "integer" -> integer = true;
          default ->
              throw wrong(
                  at.pointer(),
                  "type is %s, expected null, boolean, integer, number, string, array or object"
                      .formatted(name));
        }
      }
      if (integer || number) {
        types.add(Type.NUMBER);
        schema.integers |= !number;
      }
      schema.retain(types);
    }

    private void format(String name, Located at) {
      switch (name) {
        case "int32" -> bounds(BigDecimal.TWO.pow(31));
        case "int64" -> bounds(BigDecimal.TWO.pow(63));
        case "float", "double" -> {}
        default -> {
          if (SchemaFormats.find(name) == null) {
            throw wrong(
                at.pointer(),
                "the format '%s' is not supported, expected one of %s"
                    .formatted(name, String.join(", ", SchemaFormats.names())));
          }
          schema.formats.add(at);
        }
      }
    }

    /** OpenAPI's formats of integers; they say nothing of other numbers. */
    private void bounds(BigDecimal beyond) {
      schema.integers = true;
      schema.atLeast(beyond.negate(), false);
      schema.atMost(beyond, true);
    }

    private void elements(Located at) {
      Reading r = new Reading(at);
      boolean prefix = at.node().has("prefixItems");
      if (prefix || at.node().has("items")) {
        schema.elements.add(
            new Elements(prefix ? r.schemas("prefixItems") : List.of(), r.schema("items")));
      }
    }

    private void members(Located at) {
      JsonNode node = at.node();
      if (node.has("properties")
          || node.has("patternProperties")
          || node.has("additionalProperties")) {
        Reading r = new Reading(at);
        Map<String, Located> patterned = r.map("patternProperties");
        patterned.forEach(
            (pattern, value) -> {
              try {
                patterns.expression(pattern);
              } catch (IllegalArgumentException e) {
                throw wrong(value.pointer(), e.getMessage());
              }
            });
        schema.members.add(
            new Members(r.map("properties"), patterned, r.schema("additionalProperties")));
      }
    }
  }

  private static IllegalArgumentException unsupported(Located at, String key) {
    return wrong(at.pointer(), "the keyword '%s' is not supported".formatted(key));
  }

  private Located resolve(String reference, String pointer) {
    String id = root.node().path("$id").asText("");
    String fragment = reference;
    if (!id.isEmpty() && reference.startsWith(id)) {
      fragment = reference.substring(id.length());
    }
    if (fragment.isEmpty() || fragment.equals("#")) {
      return root;
    }
    if (!fragment.startsWith("#")) {
      throw wrong(pointer, "'%s' is another document, which is not read".formatted(reference));
    }
    String path =
        URLDecoder.decode(fragment.substring(1).replace("+", "%2B"), StandardCharsets.UTF_8);
    if (anchors.containsKey(path)) {
      return anchors.get(path);
    }
    JsonNode found = path.startsWith("/") ? root.node().at(path) : root.node().path(" ");
    if (found.isMissingNode()) {
      throw wrong(pointer, "there is no '%s'".formatted(reference));
    }
    return new Located(found, "#" + path);
  }

  /** The keywords of a schema, checked. */
  private record Reading(Located at) {
    private JsonNode get(String key) {
      return at.node().get(key);
    }

    private IllegalArgumentException expected(String key, String what) {
      return wrong(
          child(at.pointer(), key), "%s is %s, expected %s".formatted(key, get(key), what));
    }

    String text(String key) {
      if (!get(key).isTextual()) {
        throw expected(key, "a string");
      }
      return get(key).textValue();
    }

    BigDecimal number(String key) {
      if (!get(key).isNumber()) {
        throw expected(key, "a number");
      }
      BigDecimal number = get(key).decimalValue();
      if (number.precision() > 64 || Math.abs(number.scale()) > 64) {
        throw expected(key, "a number of up to 64 digits");
      }
      return number;
    }

    int count(String key) {
      JsonNode value = get(key);
      if (!value.isNumber()
          || value.decimalValue().signum() < 0
          || value.decimalValue().stripTrailingZeros().scale() > 0) {
        throw expected(key, "a whole number from 0");
      }
      return value.decimalValue().min(BigDecimal.valueOf(Integer.MAX_VALUE)).intValue();
    }

    List<JsonNode> list(String key) {
      if (!get(key).isArray()) {
        throw expected(key, "an array");
      }
      List<JsonNode> all = new ArrayList<>();
      get(key).forEach(all::add);
      return all;
    }

    List<String> texts(String key) {
      List<String> all = new ArrayList<>();
      for (JsonNode each : list(key)) {
        if (!each.isTextual()) {
          throw expected(key, "strings");
        }
        all.add(each.textValue());
      }
      return all;
    }

    Located schema(String key) {
      return at.node().has(key) ? new Located(get(key), child(at.pointer(), key)) : null;
    }

    List<Located> schemas(String key) {
      List<Located> all = new ArrayList<>();
      String pointer = child(at.pointer(), key);
      for (JsonNode each : list(key)) {
        all.add(new Located(each, pointer + "/" + all.size()));
      }
      if (all.isEmpty()) {
        throw expected(key, "at least one schema");
      }
      return all;
    }

    Map<String, Located> map(String key) {
      Map<String, Located> all = Schema.map();
      if (at.node().has(key)) {
        if (!get(key).isObject()) {
          throw expected(key, "an object of schemas");
        }
        String pointer = child(at.pointer(), key);
        get(key)
            .properties()
            .forEach(
                e -> all.put(e.getKey(), new Located(e.getValue(), child(pointer, e.getKey()))));
      }
      return all;
    }
  }
}
