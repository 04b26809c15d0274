package dev.gatun.chat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.gatun.files.Json;
import java.util.Map;
import java.util.Objects;

/**
 * A tool that a model asks to be called.
 *
 * @param id tells it from the other calls of the conversation
 * @param name the tool
 * @param arguments a JSON object as the model wrote it; it may be cut off or wrong
 */
public record ToolCall(String id, String name, String arguments) {
  private static final JsonMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS)
          .build();

  /** Checks that nothing is missing. */
  public ToolCall {
    Objects.requireNonNull(id, "id");
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(arguments, "arguments");
  }

  /**
   * Reads the arguments.
   *
   * @return the arguments by their names: texts, numbers, booleans, lists, maps and nulls
   * @throws IllegalArgumentException if they are no JSON object, with the place
   */
  public Map<String, Object> argumentMap() {
    try {
      Map<String, Object> map = JSON.readValue(arguments, new TypeReference<>() {});
      if (map != null) {
        return map;
      }
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "the arguments of the call of '%s' are no JSON object: %s, line %d, column %d"
              .formatted(
                  name, Json.told(e), e.getLocation().getLineNr(), e.getLocation().getColumnNr()),
          e);
    }
    throw new IllegalArgumentException(
        "the arguments of the call of '%s' are null, expected a JSON object".formatted(name));
  }
}
