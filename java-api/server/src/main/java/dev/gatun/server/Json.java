package dev.gatun.server;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.util.Map;

/** Reads what clients send, with bounds, and writes what they get. */
final class Json {
  private static final int MOST_DIGITS = 64;
  private static final ObjectMapper WRITER = new ObjectMapper();

  private final ObjectMapper reader;
  private final int depth;

  /**
   * A reader.
   *
   * @param depth the most objects and arrays in each other
   * @param length the most characters of a string
   */
  Json(int depth, int length) {
    this.depth = depth;
    JsonFactory factory =
        JsonFactory.builder()
            .streamReadConstraints(
                StreamReadConstraints.builder()
                    .maxNestingDepth(depth)
                    .maxNumberLength(MOST_DIGITS)
                    .maxStringLength(length)
                    .maxNameLength(length)
                    .build())
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .build();
    this.reader = new ObjectMapper(factory).enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
  }

  /**
   * Reads a request's object.
   *
   * @throws ApiException where the bytes are none
   */
  ObjectNode read(byte[] body) {
    JsonNode node;
    try {
      node = reader.readTree(body);
    } catch (JsonProcessingException e) {
      // Jackson tells where an open object began by a source that it does not show.
      String said = e.getOriginalMessage().replaceAll(" \\([^(]* at \\[Source: [^]]*]\\)", "");
      if (said.contains("nesting depth")) {
        throw ApiException.badRequest(
            null,
            "json_too_deep",
            "the body has objects and arrays in each other more than %d deep".formatted(depth));
      }
      String where =
          e.getLocation() == null
              ? ""
              : " at line %d, column %d"
                  .formatted(e.getLocation().getLineNr(), e.getLocation().getColumnNr());
      throw ApiException.badRequest(
          null, "invalid_json", "the body is no JSON" + where + ": " + said);
    } catch (IOException e) {
      throw ApiException.badRequest(null, "invalid_json", "the body is no JSON: " + e.getMessage());
    }
    if (!(node instanceof ObjectNode object)) {
      throw ApiException.badRequest(null, "invalid_json", "the body is to be a JSON object");
    }
    return object;
  }

  static ObjectNode object() {
    return JsonNodeFactory.instance.objectNode();
  }

  static ArrayNode array() {
    return JsonNodeFactory.instance.arrayNode();
  }

  /** Maps, lists, texts, numbers and nulls of JSON. */
  static Object plain(JsonNode node) {
    return WRITER.convertValue(node, Object.class);
  }

  static Map<String, Object> map(ObjectNode node) {
    return WRITER.convertValue(node, new TypeReference<>() {});
  }

  static byte[] bytes(JsonNode node) {
    try {
      return WRITER.writeValueAsBytes(node);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a tree is always JSON", e);
    }
  }
}
