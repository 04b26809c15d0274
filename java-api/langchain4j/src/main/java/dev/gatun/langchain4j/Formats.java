package dev.gatun.langchain4j;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.gatun.generation.Constraint;
import dev.langchain4j.internal.JsonSchemaElementUtils;
import dev.langchain4j.model.chat.request.ChatRequestParameters;
import dev.langchain4j.model.chat.request.ResponseFormat;
import dev.langchain4j.model.chat.request.ResponseFormatType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Response formats as constraints. */
final class Formats {
  private static final JsonMapper JSON = JsonMapper.builder().build();

  private Formats() {}

  static boolean isJson(ChatRequestParameters parameters) {
    ResponseFormat format = parameters.responseFormat();
    return format != null && format.type() == ResponseFormatType.JSON;
  }

  /**
   * What answers are held to.
   *
   * @throws IllegalArgumentException where a schema has what is not supported, with its path
   */
  static Optional<Constraint> constraint(ChatRequestParameters parameters) {
    if (!isJson(parameters)) {
      return Optional.empty();
    }
    ResponseFormat format = parameters.responseFormat();
    if (format.jsonSchema() == null) {
      return Optional.of(Constraint.jsonObject());
    }
    Object schema = closed(JsonSchemaElementUtils.toMap(format.jsonSchema().rootElement()));
    try {
      return Optional.of(Constraint.jsonSchema(JSON.writeValueAsString(schema)));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("the JSON schema cannot be written: " + e.getMessage(), e);
    }
  }

  /** The same without members that no property names, where nothing is said of them. */
  private static Object closed(Object schema) {
    if (schema instanceof List<?> list) {
      return list.stream().map(Formats::closed).toList();
    }
    if (!(schema instanceof Map<?, ?> map)) {
      return schema;
    }
    Map<String, Object> all = new LinkedHashMap<>();
    map.forEach((key, value) -> all.put((String) key, closed(value)));
    if ("object".equals(all.get("type")) && all.get("properties") instanceof Map<?, ?>) {
      all.putIfAbsent("additionalProperties", false);
    }
    return all;
  }
}
