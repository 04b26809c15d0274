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
import org.junit.jupiter.params.provider.CsvSource;
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

  /** The file of the goldens has 4 heads of 16, 2 of keys. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "attention.head_count_kv | 3 | 'llama.attention.head_count_kv' (num_key_value_heads) is 3,"
            + " expected a divisor of the 4 heads",
        "block_count | 0 | 'llama.block_count' (num_hidden_layers) is 0, expected a number from 1",
        "embedding_length | 64 | has shape [101, 32], its metadata says [101, 64]",
        "feed_forward_length | 65 | (blk.0.ffn_gate.weight): tensor"
            + " 'model.layers.0.mlp.gate_proj.weight' has shape [64, 32], its metadata says [65,",
        "block_count | 3 | no tensors blk.2.attn_norm.weight (model.layers.2.input_layernorm",
        "rope.freq_base | -1 | 'llama.rope.freq_base' (rope_theta) is ",
        "attention.layer_norm_rms_epsilon | -1 | 'llama.attention.layer_norm_rms_epsilon'"
            + " (rms_norm_eps) is ",
      })
  void what_does_not_fit_is_told_by_the_files_own_name(String key, int value, String message)
      throws IOException {
    byte[] file = file();
    int at = place(file, "llama." + key) + "llama.".length() + key.length();
    ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    bytes.putInt(at + Integer.BYTES, value < 0 ? Float.floatToIntBits(value) : value);
    String told = refused(file);
    assertTrue(told.contains(message), told);
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
