package dev.gatun.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A cache without room for a page is refused by the setting that makes room, and one with it is
 * not.
 */
final class CacheBytesTest {
  private static final Path GOLDENS = Path.of("../../test/goldens");

  /** A page of 16 tokens has keys and values of two layers, four heads of 8 numbers of 4 bytes. */
  @ParameterizedTest
  @CsvSource({
    "decoders/llama, 8191, '8192, which one page of 16 tokens has'",
    "encoder-decoders/marian, 16383, '16384, of which half has one page of 16 tokens'"
  })
  void the_least_is_told(String golden, long bytes, String least) throws IOException {
    Path directory = GOLDENS.resolve(golden);
    GeneratorOptions options = GeneratorOptions.defaults();
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> TextGenerator.load(directory, options.withCacheBytes(bytes)).close());
    assertEquals("cacheBytes is %d, expected at least %s".formatted(bytes, least), e.getMessage());
    TextGenerator.load(directory, options.withCacheBytes(bytes + 1)).close();
  }
}
