package dev.gatun.test.loading;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.compression.GgufQuantizer;
import dev.gatun.models.AutoModel;
import dev.gatun.weights.WeightsException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Settings and numbers of a GGUF file that nothing can be made of. */
final class GgufKeysTest {
  @TempDir Path folder;

  private static byte[] file() throws IOException {
    return Files.readAllBytes(Path.of("goldens", "gguf", "llama-gqa.gguf"));
  }

  private static int place(byte[] file, String key) {
    // Bytes are characters of Latin-1, one for one.
    int at = new String(file, StandardCharsets.ISO_8859_1).indexOf(key);
    assertTrue(at > 0, key);
    return at;
  }

  private String refused(byte[] file) throws IOException {
    Path path = Files.write(folder.resolve("model.gguf"), file);
    RuntimeException thrown =
        assertThrows(IllegalArgumentException.class, () -> AutoModel.loadCausalLm(path).close());
    assertTrue(thrown.getMessage().contains("model.gguf"), thrown.getMessage());
    return thrown.getMessage();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"llama.embedding_length", "llama.block_count", "llama.attention.head_count"})
  void what_is_missing_is_told_by_the_files_own_name(String key) throws IOException {
    byte[] file = file();
    file[place(file, key)] = 'L';
    assertTrue(refused(file).endsWith("key '" + key + "' is missing, expected a whole number"));
  }

  @Test
  void a_length_that_no_memory_holds_is_told() throws IOException {
    byte[] file = file();
    String key = "llama.context_length";
    int length = Integer.MAX_VALUE;
    ByteBuffer.wrap(file)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putInt(place(file, key) + key.length() + Integer.BYTES, length);
    String told = refused(file);
    // A device that has room for the tables is told how many angles there may be.
    assertTrue(
        told.contains("rotary tables of " + length + " positions take ")
            || told.contains("rotary: length " + length + " and rotary size"),
        told);
    assertEquals(1, told.lines().count());
  }

  @Test
  void numbers_that_no_block_holds_are_told_with_their_file() throws IOException {
    byte[] file = file();
    ByteBuffer numbers = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    for (int at = file.length / 2 & -Float.BYTES; at < file.length; at += Float.BYTES) {
      numbers.putFloat(at, Float.NaN);
    }
    Path path = Files.write(folder.resolve("model.gguf"), file);
    Path out = folder.resolve("out.gguf");
    RuntimeException thrown =
        assertThrows(WeightsException.class, () -> GgufQuantizer.quantize(path, out, "Q8_0", null));
    assertTrue(thrown.getMessage().startsWith(path + " ("), thrown.getMessage());
    assertTrue(thrown.getMessage().contains(" is NaN, expected finite"), thrown.getMessage());
    assertFalse(Files.exists(out));
  }
}
