package dev.gatun.files;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.BiFunction;

/** Reads UTF-8 text and JSON strictly: what is wrong is told with the file and the byte. */
public final class TextFile {
  private interface Parser {
    JsonNode read(String text) throws JsonProcessingException;
  }

  private TextFile() {}

  /**
   * A file's text.
   *
   * @param failure makes the exception for bytes that are not UTF-8 of a message and a cause, which
   *     may be null
   * @throws IOException when the file cannot be read
   */
  public static String read(Path file, BiFunction<String, Throwable, RuntimeException> failure)
      throws IOException {
    return decode(file, Files.readAllBytes(file), failure);
  }

  /** A file's JSON, as {@link #read}; a missing node where there is none. */
  public static JsonNode json(Path file, BiFunction<String, Throwable, RuntimeException> failure)
      throws IOException {
    return json(Json::read, file, failure);
  }

  /** The same, where no object may have a name twice. */
  public static JsonNode uniqueJson(
      Path file, BiFunction<String, Throwable, RuntimeException> failure) throws IOException {
    return json(Json::readUnique, file, failure);
  }

  private static JsonNode json(
      Parser parser, Path file, BiFunction<String, Throwable, RuntimeException> failure)
      throws IOException {
    String text = read(file, failure);
    try {
      return parser.read(text);
    } catch (JsonProcessingException e) {
      int chars = e.getLocation() == null ? 0 : (int) Math.max(0, e.getLocation().getCharOffset());
      int at = text.substring(0, chars).getBytes(StandardCharsets.UTF_8).length;
      throw failure.apply("%s: byte %d: not valid JSON: %s".formatted(file, at, Json.told(e)), e);
    }
  }

  private static String decode(
      Path file, byte[] bytes, BiFunction<String, Throwable, RuntimeException> failure) {
    if (LfsPointer.is(bytes)) {
      throw failure.apply(LfsPointer.told(file), null);
    }
    ByteBuffer in = ByteBuffer.wrap(bytes);
    CharBuffer out = CharBuffer.allocate(bytes.length);
    CoderResult result = StandardCharsets.UTF_8.newDecoder().decode(in, out, true);
    if (result.isError()) {
      throw failure.apply(
          "%s: byte %d: 0x%02x is not UTF-8"
              .formatted(file, in.position(), bytes[in.position()] & 0xff),
          null);
    }
    return out.flip().toString();
  }
}
