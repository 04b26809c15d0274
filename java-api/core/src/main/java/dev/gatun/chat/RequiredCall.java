package dev.gatun.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.generation.Constraint;
import java.util.List;
import java.util.Map;

/** What an answer is held to that must call one of some tools: a call, as its format spells it. */
final class RequiredCall {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  /** Keywords that say what a value may be; without one, arguments are an object. */
  private static final List<String> KINDS = List.of("type", "$ref", "anyOf", "oneOf", "allOf");

  private RequiredCall() {}

  /**
   * The JSON behind {@link ToolCallFormat#opening}.
   *
   * @param tools as requests have them
   * @param names those that may be called
   * @throws IllegalArgumentException if a tool's schema has what is not supported, with its path
   */
  static Constraint constraint(
      ToolCallFormat format, List<? extends Map<String, ?>> tools, List<String> names) {
    ArrayNode calls = JSON.createArrayNode();
    for (Map<String, ?> tool : tools) {
      JsonNode given = JSON.valueToTree(tool);
      JsonNode function = given.path("function").isObject() ? given.path("function") : given;
      String name = function.path("name").textValue();
      if (names.contains(name)) {
        calls.add(call(format, name, function.path("parameters")));
      }
    }
    ObjectNode schema = JSON.createObjectNode();
    String at = "#";
    ObjectNode one = schema;
    if (format.isList()) {
      schema.put("type", "array").put("minItems", 1).put("maxItems", calls.size());
      one = schema.putObject("items");
      at = "#/items";
    }
    if (calls.size() == 1) {
      moveReferences(calls.get(0), at + "/properties/" + format.argumentsKey());
      one.setAll((ObjectNode) calls.get(0));
    } else {
      for (int i = 0; i < calls.size(); i++) {
        moveReferences(
            calls.get(i), "%s/anyOf/%d/properties/%s".formatted(at, i, format.argumentsKey()));
      }
      one.set("anyOf", calls);
    }
    try {
      return Constraint.jsonSchema(JSON.writeValueAsString(schema));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("the tools cannot be written as JSON", e);
    }
  }

  private static ObjectNode call(ToolCallFormat format, String name, JsonNode parameters) {
    ObjectNode call = JSON.createObjectNode().put("type", "object");
    ObjectNode members = call.putObject("properties");
    members.putObject(format.nameKey()).put("const", name);
    ObjectNode arguments =
        parameters.isObject() ? (ObjectNode) parameters : JSON.createObjectNode();
    if (KINDS.stream().noneMatch(arguments::has)) {
      arguments.put("type", "object");
      if (!arguments.has("properties")) {
        arguments.putObject("properties");
      }
    }
    if (!arguments.has("additionalProperties") && arguments.path("properties").isObject()) {
      // Those that no property names would be any at all.
      arguments.put("additionalProperties", false);
    }
    members.set(format.argumentsKey(), arguments);
    call.putArray("required").add(format.nameKey()).add(format.argumentsKey());
    return call.put("additionalProperties", false);
  }

  /** References are to places in the tool's own schema, which is no longer the root. */
  private static void moveReferences(JsonNode node, String to) {
    if (node instanceof ObjectNode object
        && object.path("$ref").isTextual()
        && object.path("$ref").textValue().startsWith("#")) {
      object.put("$ref", to + object.path("$ref").textValue().substring(1));
    }
    node.forEach(each -> moveReferences(each, to));
  }
}
