package dev.gatun.files;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
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
  private static final JsonMapper JSON =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

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
    return json(JSON, file, failure);
  }

  /** The same by another parser. */
  public static JsonNode json(
      JsonMapper mapper, Path file, BiFunction<String, Throwable, RuntimeException> failure)
      throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    decode(file, bytes, failure);
    try {
      return mapper.readTree(bytes);
    } catch (JacksonException e) {
      long at = e.getLocation() == null ? 0 : Math.max(0, e.getLocation().getByteOffset());
      throw failure.apply(
          "%s: byte %d: not valid JSON: %s".formatted(file, at, e.getOriginalMessage()), e);
    } catch (IOException e) {
      throw failure.apply("%s: byte 0: not UTF-8: %s".formatted(file, e.getMessage()), e);
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
