package dev.gatun.server;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;

/** JSON schemas that become part of others. */
final class Schemas {
  private Schemas() {}

  /**
   * A schema whose pointers to its own parts still lead there.
   *
   * @param place where it is put, as a pointer
   */
  static JsonNode moved(JsonNode schema, String place) {
    JsonNode copy = schema.deepCopy();
    move(copy, place);
    return copy;
  }

  private static void move(JsonNode node, String place) {
    if (node instanceof ObjectNode object) {
      JsonNode reference = object.get("$ref");
      if (reference != null && reference.isTextual()) {
        String to = reference.textValue();
        if (to.equals("#") || to.startsWith("#/")) {
          object.set("$ref", TextNode.valueOf(place + to.substring(1)));
        }
      }
      object.forEach(each -> move(each, place));
    } else if (node instanceof ArrayNode array) {
      array.forEach(each -> move(each, place));
    }
  }
}
