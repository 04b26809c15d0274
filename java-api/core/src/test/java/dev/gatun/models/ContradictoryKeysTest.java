package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Keys of a configuration that ask for different things are refused by name. */
final class ContradictoryKeysTest {
  @TempDir private Path folder;

  private long window(String type, String keys, int layer) throws IOException {
    String json = "{'model_type': '%s', %s}".formatted(type, keys).replace('\'', '"');
    Path file = Files.writeString(folder.resolve("config.json"), json);
    return SlidingWindow.of(Config.of(file), type, layer);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '"',
      value = {
        "qwen2 | 'use_sliding_window': false, 'sliding_window': 8 | use_sliding_window",
        "qwen3 | 'use_sliding_window': true, 'sliding_window': null | sliding_window",
        "gemma2 | 'sliding_window': null | sliding_window",
        "mistral | 'sliding_window': null | sliding_window",
        "qwen3_moe | 'use_sliding_window': true, 'sliding_window': 8 | sliding_window",
        "mixtral | 'sliding_window': 8 | sliding_window",
        "phi3 | 'sliding_window': 8 | sliding_window",
        "starcoder2 | 'sliding_window': 8 | sliding_window",
      })
  void layers_and_their_window(String type, String keys, String named) {
    String layers = keys + ", 'layer_types': ['sliding_attention', 'full_attention']";
    Exception error = assertThrows(IllegalArgumentException.class, () -> window(type, layers, 0));
    assertTrue(error.getMessage().contains("'layer_types' is ["), error.getMessage());
    assertTrue(error.getMessage().contains("'" + named + "'"), error.getMessage());
  }

  @Test
  void layers_that_agree_with_their_window() throws IOException {
    String full = "'layer_types': ['full_attention', 'full_attention']";
    assertEquals(0, window("qwen2", "'use_sliding_window': false, " + full, 1));
    assertEquals(0, window("phi3", "'sliding_window': null, " + full, 1));
    String all = "'sliding_window': 8, 'layer_types': ['sliding_attention', 'sliding_attention']";
    assertEquals(8, window("mixtral", all, 1));
    // transformers writes both of a Qwen 2 MoE without a window.
    assertEquals(0, window("qwen2_moe", "'use_sliding_window': false, " + all, 0));
  }

  @Test
  void two_names_of_the_activation_of_gemma() throws IOException {
    ModelFiles files = ModelFiles.read("decoders/gemma");
    files.config.put("hidden_act", "silu").put("hidden_activation", "gelu_pytorch_tanh");
    files.write(folder);
    Exception error =
        assertThrows(IllegalArgumentException.class, () -> AutoModel.loadCausalLm(folder));
    assertTrue(error.getMessage().contains("'hidden_activation' is "), error.getMessage());
    // The name that the first files have for the approximation.
    files.config.put("hidden_act", "gelu");
    files.write(folder);
    AutoModel.loadCausalLm(folder).close();
  }
}
