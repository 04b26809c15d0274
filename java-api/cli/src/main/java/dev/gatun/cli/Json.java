package dev.gatun.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.nio.file.Path;
import java.util.Map;
import java.util.regex.Pattern;

/** Objects as JSON for programs and people. */
final class Json {
  private static final ObjectMapper MAPPER =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** What a terminal obeys and JSON leaves as it is; it is in strings only. */
  private static final Pattern ESCAPED =
      Pattern.compile("[\\x7F-\\x9F\\u202A-\\u202E\\u2066-\\u2069]");

  private Json() {}

  /**
   * The JSON in a file that the user named.
   *
   * @param what how they named it, such as {@code --tools}
   * @throws CliException when it cannot be read, or is none
   */
  static JsonNode read(String what, Path file) {
    String text = TextFiles.read(what, file);
    try {
      return MAPPER.readTree(text);
    } catch (JsonProcessingException e) {
      throw new CliException(
          "%s: %s, line %d, column %d: expected JSON"
              .formatted(what, file, e.getLocation().getLineNr(), e.getLocation().getColumnNr()),
          e);
    }
  }

  /**
   * The JSON object that an option's value is.
   *
   * @throws CliException when it is none
   */
  static Map<String, Object> object(String option, String value) {
    try {
      JsonNode root = MAPPER.readTree(value);
      if (root.isObject()) {
        return MAPPER.convertValue(root, new TypeReference<>() {});
      }
    } catch (JsonProcessingException e) {
      // Told below, as what is JSON but no object.
    }
    throw new CliException(
        "%s is '%s', expected a JSON object such as {\"NAME\": 1}".formatted(option, value));
  }

  static String write(Object value) throws JsonProcessingException {
    return ESCAPED
        .matcher(MAPPER.writeValueAsString(value))
        .replaceAll(found -> "\\\\u%04x".formatted((int) found.group().charAt(0)));
  }
}
