package dev.gatun.files;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JSON as trees of Jackson's nodes, read by its streaming parser: to make a mapper takes longer
 * than to read all files of a model.
 */
public final class Json {
  // Names that are kept for the next file would be those of whole vocabularies.
  private static final JsonFactory ANY =
      JsonFactory.builder().disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES).build();
  private static final JsonFactory UNIQUE =
      ANY.rebuild().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();
  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  /** Made where something is written. */
  private static final class Writer {
    static final JsonMapper MAPPER = new JsonMapper();
  }

  private Json() {}

  /**
   * Reads one value; of members with the same name the last counts.
   *
   * @return a missing node where there is none
   * @throws JsonProcessingException where it is not valid, or more is behind it
   */
  public static JsonNode read(String text) throws JsonProcessingException {
    return read(ANY, text);
  }

  /** {@return what is wrong, without what Jackson tells of its settings and of Java's types} */
  public static String told(JacksonException wrong) {
    return wrong
        .getOriginalMessage()
        .replaceAll(" \\((start marker|for \\w+ starting) at \\[Source: [^]]*]\\)", "")
        .replaceFirst("(?s)Cannot deserialize value of type .* from (\\w+) value.*", "found $1");
  }

  /** The same, where a name that an object has twice is not valid. */
  public static JsonNode readUnique(String text) throws JsonProcessingException {
    return read(UNIQUE, text);
  }

  private static JsonNode read(JsonFactory factory, String text) throws JsonProcessingException {
    try (JsonParser parser = factory.createParser(text)) {
      if (parser.nextToken() == null) {
        return NODES.missingNode();
      }
      JsonNode value = next(parser);
      if (parser.nextToken() != null) {
        throw new JsonParseException(parser, "more stands behind the end of the value");
      }
      return value;
    } catch (JsonProcessingException e) {
      throw e;
    } catch (IOException e) {
      throw new UncheckedIOException("read a text in memory", e);
    }
  }

  /** The value that begins with the parser's token; the parser's limit bounds the depth. */
  private static JsonNode next(JsonParser parser) throws IOException {
    return switch (parser.currentToken()) {
      case START_OBJECT -> {
        ObjectNode object = NODES.objectNode();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
          String name = parser.currentName();
          parser.nextToken();
          object.set(name, next(parser));
        }
        yield object;
      }
      case START_ARRAY -> {
        ArrayNode array = NODES.arrayNode();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          array.add(next(parser));
        }
        yield array;
      }
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> node(parser.getNumberValue());
      case VALUE_STRING -> NODES.textNode(parser.getText());
      case VALUE_TRUE -> NODES.booleanNode(true);
      case VALUE_FALSE -> NODES.booleanNode(false);
      default -> NODES.nullNode();
    };
  }

  /** An object without members. */
  public static ObjectNode object() {
    return NODES.objectNode();
  }

  /** An array without elements. */
  public static ArrayNode array() {
    return NODES.arrayNode();
  }

  /**
   * A value's node.
   *
   * @param value null, a text, a number, a boolean, or a list or map of such
   */
  public static JsonNode node(Object value) {
    return switch (value) {
      case null -> NODES.nullNode();
      case JsonNode node -> node;
      case String text -> NODES.textNode(text);
      case Boolean is -> NODES.booleanNode(is);
      case Byte number -> NODES.numberNode(number);
      case Short number -> NODES.numberNode(number);
      case Integer number -> NODES.numberNode(number);
      case Long number -> NODES.numberNode(number);
      case Float number -> NODES.numberNode(number);
      case Double number -> NODES.numberNode(number);
      case BigInteger number -> NODES.numberNode(number);
      case BigDecimal number -> NODES.numberNode(number);
      case List<?> list -> {
        ArrayNode array = NODES.arrayNode();
        list.forEach(element -> array.add(node(element)));
        yield array;
      }
      case Map<?, ?> map -> {
        ObjectNode object = NODES.objectNode();
        map.forEach((name, element) -> object.set((String) name, node(element)));
        yield object;
      }
      default ->
          throw new IllegalArgumentException(
              "JSON of %s, expected a text, number, boolean, list or map"
                  .formatted(value.getClass().getName()));
    };
  }

  /** A node's value as {@link #node} takes it; null of null and of what is missing. */
  public static Object value(JsonNode node) {
    if (node == null) {
      return null;
    }
    return switch (node.getNodeType()) {
      case STRING -> node.textValue();
      case NUMBER -> node.numberValue();
      case BOOLEAN -> node.booleanValue();
      case ARRAY -> {
        List<Object> list = new ArrayList<>();
        node.forEach(element -> list.add(value(element)));
        yield list;
      }
      case OBJECT -> map(node);
      default -> null;
    };
  }

  /** An object's members as {@link #value} has them, in its order. */
  public static Map<String, Object> map(JsonNode object) {
    Map<String, Object> map = new LinkedHashMap<>();
    object.properties().forEach(member -> map.put(member.getKey(), value(member.getValue())));
    return map;
  }

  /** A tree as UTF-8. */
  public static byte[] bytes(JsonNode tree) throws JsonProcessingException {
    return Writer.MAPPER.writeValueAsBytes(tree);
  }
}
