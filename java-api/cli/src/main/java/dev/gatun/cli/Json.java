package dev.gatun.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.util.regex.Pattern;

/** Objects as JSON for programs and people. */
final class Json {
  private static final ObjectMapper MAPPER =
      new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** What a terminal obeys and JSON leaves as it is; it is in strings only. */
  private static final Pattern ESCAPED =
      Pattern.compile("[\\x7F-\\x9F\\u202A-\\u202E\\u2066-\\u2069]");

  private Json() {}

  static String write(Object value) throws JsonProcessingException {
    return ESCAPED
        .matcher(MAPPER.writeValueAsString(value))
        .replaceAll(found -> "\\\\u%04x".formatted((int) found.group().charAt(0)));
  }
}
