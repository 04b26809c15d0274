package dev.gatun.generation.constraint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.List;
import java.util.Random;

/** Random JSON schemas of all keywords that are supported. */
final class RandomSchemas {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final List<String> NAMES = List.of("a", "ab", "name", "b\"c", "é", "x-1", "");
  private static final List<String> PATTERNS =
      List.of("^a", "b", "^[a-f0-9]{2,4}$", "^(ab|c)*$", "^[^\"]{0,5}$", "\\d", "^\\p{L}+$", "c$");
  private static final List<String> KEYS = List.of("^a", "b$", "^x-", "[0-9]");

  private final Random random;
  private final ObjectNode definitions = JSON.createObjectNode();

  private RandomSchemas(Random random) {
    this.random = random;
  }

  static ObjectNode next(Random random) {
    RandomSchemas made = new RandomSchemas(random);
    if (random.nextInt(3) == 0) {
      ObjectNode shared = made.schema(1);
      made.definitions.set("shared", shared);
    }
    if (random.nextInt(4) == 0) {
      ObjectNode tree = made.definitions.putObject("tree").put("type", "object");
      tree.putObject("properties")
          .<ObjectNode>set("v", made.schema(3))
          .putObject("kids")
          .put("type", "array")
          .put("maxItems", 2)
          .putObject("items")
          .put("$ref", "#/$defs/tree");
      tree.put("additionalProperties", false).putArray("required").add("v");
    }
    ObjectNode root = made.schema(0);
    if (!made.definitions.isEmpty()) {
      root.set("$defs", made.definitions);
    }
    return root;
  }

  private boolean chance(int of) {
    return random.nextInt(of) == 0;
  }

  private ObjectNode schema(int depth) {
    ObjectNode schema = JSON.createObjectNode();
    if (chance(8)) {
      schema.put("description", "any \"text\"");
    }
    int kind = random.nextInt(depth > 2 ? 6 : 12);
    switch (kind) {
      case 0 -> schema.put("type", chance(2) ? "boolean" : "null");
      case 1, 2 -> string(schema);
      case 3 -> number(schema);
      case 4 -> constants(schema);
      case 5 -> several(schema);
      case 6, 7 -> array(schema, depth);
      case 8, 9 -> object(schema, depth);
      case 10 -> combined(schema, depth);
      default -> {
        List<String> names =
            List.copyOf(definitions.properties()).stream()
                .map(java.util.Map.Entry::getKey)
                .toList();
        if (names.isEmpty()) {
          object(schema, depth);
        } else {
          schema.put("$ref", "#/$defs/" + names.get(random.nextInt(names.size())));
        }
      }
    }
    return schema;
  }

  private void several(ObjectNode schema) {
    ArrayNode types = schema.putArray("type");
    for (String type : List.of("string", "integer", "null", "array", "boolean")) {
      if (chance(2)) {
        types.add(type);
      }
    }
    if (types.isEmpty()) {
      types.add("string");
    }
    schema.put("maxLength", random.nextInt(5)).put("minimum", random.nextInt(3));
  }

  private void string(ObjectNode schema) {
    schema.put("type", "string");
    if (chance(4)) {
      // The validator takes mail addresses in domains that exist and no others.
      List<String> formats =
          SchemaFormats.names().stream().filter(name -> !name.equals("email")).toList();
      schema.put("format", formats.get(random.nextInt(formats.size())));
      return;
    }
    if (chance(2)) {
      schema.put("pattern", PATTERNS.get(random.nextInt(PATTERNS.size())));
    }
    if (chance(2)) {
      schema.put("minLength", random.nextInt(4));
    }
    if (chance(2)) {
      schema.put("maxLength", random.nextInt(8));
    }
    if (chance(8)) {
      schema.putArray("allOf").addObject().put("pattern", "a|b");
    }
  }

  private BigDecimal decimal() {
    return BigDecimal.valueOf(random.nextInt(4000) - 2000, random.nextInt(4));
  }

  private void number(ObjectNode schema) {
    boolean integer = chance(2);
    schema.put("type", integer ? "integer" : "number");
    BigDecimal least = decimal();
    if (chance(2)) {
      schema.put(chance(3) ? "exclusiveMinimum" : "minimum", least);
    }
    if (chance(2)) {
      schema.put(
          chance(3) ? "exclusiveMaximum" : "maximum",
          least.add(BigDecimal.valueOf(random.nextInt(300), random.nextInt(3))));
    }
    if (chance(4)) {
      if (integer || chance(2)) {
        schema.put("multipleOf", 1 + random.nextInt(20));
      } else {
        schema.put("multipleOf", BigDecimal.valueOf(1 + random.nextInt(50), 1 + random.nextInt(2)));
      }
    }
  }

  private void constants(ObjectNode schema) {
    ArrayNode all = schema.putArray("enum");
    for (int i = 0; i <= random.nextInt(4); i++) {
      switch (random.nextInt(6)) {
        case 0 -> all.add(random.nextInt(100));
        case 1 -> all.add(decimal());
        case 2 -> all.addNull();
        case 3 -> all.addObject().put("a", i).putArray("b").add("c\n").add(true);
        default -> all.add(NAMES.get(random.nextInt(NAMES.size())) + i);
      }
    }
    if (chance(3)) {
      schema.put("maxLength", 2);
    }
  }

  private void array(ObjectNode schema, int depth) {
    schema.put("type", "array");
    int prefix = chance(3) ? 1 + random.nextInt(2) : 0;
    for (int i = 0; i < prefix; i++) {
      schema.withArray("prefixItems").add(schema(depth + 1));
    }
    if (prefix > 0 && chance(3)) {
      schema.put("items", false);
    } else if (!chance(6)) {
      schema.set("items", schema(depth + 1));
    }
    if (chance(3)) {
      schema.put("minItems", random.nextInt(3));
    }
    if (chance(2)) {
      schema.put("maxItems", random.nextInt(5));
    }
  }

  private void object(ObjectNode schema, int depth) {
    schema.put("type", "object");
    ObjectNode properties = JSON.createObjectNode();
    for (String name : NAMES) {
      if (chance(3)) {
        properties.set(name, schema(depth + 1));
      }
      if (chance(6)) {
        schema.withArray("required").add(name);
      }
    }
    if (!properties.isEmpty()) {
      schema.set("properties", properties);
    }
    if (chance(4)) {
      ObjectNode patterned = schema.putObject("patternProperties");
      for (int i = 0; i <= random.nextInt(2); i++) {
        patterned.set(KEYS.get(random.nextInt(KEYS.size())), schema(depth + 2));
      }
    }
    if (chance(2)) {
      schema.put("additionalProperties", false);
    } else if (chance(2)) {
      schema.set("additionalProperties", schema(depth + 2));
    }
    if (chance(6)) {
      schema.put("minProperties", random.nextInt(2));
    }
    if (chance(6)) {
      schema.put("maxProperties", 1 + random.nextInt(4));
    }
  }

  private void combined(ObjectNode schema, int depth) {
    switch (random.nextInt(3)) {
      case 0 -> {
        ArrayNode all = schema.putArray("anyOf");
        for (int i = 0; i <= random.nextInt(3); i++) {
          all.add(schema(depth + 1));
        }
      }
      case 1 -> {
        ArrayNode all = schema.putArray("oneOf");
        all.addObject().put("type", "string").put("maxLength", 3);
        all.addObject().put("type", "integer").put("maximum", 3);
        ObjectNode object = all.addObject().put("type", "object");
        object.putObject("properties").putObject("kind").put("const", "p");
        object.putArray("required").add("kind");
        object = all.addObject().put("type", "object");
        object.putObject("properties").putObject("kind").putArray("enum").add("q").add("r");
        object.putArray("required").add("kind");
      }
      default -> {
        ArrayNode all = schema.putArray("allOf");
        object(all.addObject(), depth + 1);
        ObjectNode more = all.addObject();
        more.putObject("properties").set("a", schema(depth + 1));
        if (chance(2)) {
          more.putArray("required").add("a");
        }
      }
    }
  }
}
