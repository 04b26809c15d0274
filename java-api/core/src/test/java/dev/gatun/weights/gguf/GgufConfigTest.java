package dev.gatun.weights.gguf;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.weights.WeightsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What keys of a file become in the configuration of the model that it was made of. */
final class GgufConfigTest {
  @TempDir Path folder;

  /** Of a file without tensors, with keys that are numbers, texts and whole numbers. */
  private ObjectNode config(String architecture, Map<String, ?> keys) throws IOException {
    GgufBytes bytes =
        GgufBytes.file(3, 0, 4 + keys.size())
            .key("general.architecture", architecture)
            .key(architecture + ".embedding_length", 32)
            .key(architecture + ".block_count", 6)
            .key(architecture + ".attention.head_count", 4);
    keys.forEach(
        (name, value) -> {
          String key = name.startsWith("general.") ? name : architecture + "." + name;
          switch (value) {
            case Integer number -> bytes.key(key, number);
            case Float number -> bytes.key(key, number);
            default -> bytes.key(key, (String) value);
          }
        });
    Path file = Files.write(folder.resolve("model.gguf"), bytes.pad(32).bytes());
    try (GgufFile gguf = GgufFile.open(file)) {
      return gguf.config();
    }
  }

  /** Writers leave the window out where no layer of a Gemma 3 has one. */
  @Test
  void a_gemma_3_has_the_window_and_the_cap_that_its_file_names() throws IOException {
    ObjectNode none = config("gemma3", Map.of("final_logit_softcapping", 30f));
    assertTrue(none.has("sliding_window") && none.get("sliding_window").isNull(), "" + none);
    assertEquals(30, none.path("final_logit_softcapping").doubleValue());
    assertTrue(
        config("gemma3", Map.of("attention.sliding_window", 0)).get("sliding_window").isNull());
    ObjectNode some = config("gemma3", Map.of("attention.sliding_window", 512));
    assertEquals(512, some.path("sliding_window").intValue());
    assertTrue(some.path("final_logit_softcapping").isMissingNode());
  }

  @ParameterizedTest
  @CsvSource({
    "yarn, yarn_attn_factor, 0.5",
    "yarn, yarn_ext_factor, 0",
    "yarn, yarn_log_multiplier, 0.1",
    "yarn, attn_factor, 2",
    "linear, attn_factor, 2",
    "none, attn_factor, 2"
  })
  void rotary_settings_that_are_not_done_are_refused_by_name(String type, String key, float value)
      throws IOException {
    String name = "rope.scaling." + key;
    Map<String, ?> keys = Map.of("rope.scaling.type", type, "rope.scaling.factor", 4f, name, value);
    String message = assertThrows(WeightsException.class, () -> config("llama", keys)).getMessage();
    assertTrue(message.contains("'llama." + name + "' is " + value), message);
  }

  /** As llama.cpp has it, where transformers takes 1000 and two types. */
  @Test
  void encoders_have_what_gguf_means_by_nothing() throws IOException {
    assertEquals(1e4, config("nomic-bert", Map.of()).at("/rope_parameters/rope_theta").asDouble());
    assertEquals(0, config("bert", Map.of()).path("type_vocab_size").asInt(-1));
  }

  @Test
  void an_adapter_is_no_model() {
    Map<String, ?> keys = Map.of("general.type", "adapter");
    String message = assertThrows(WeightsException.class, () -> config("llama", keys)).getMessage();
    assertTrue(message.contains("'general.type' is the text 'adapter', expected 'model'"), message);
  }

  @Test
  void rotary_settings_that_ask_for_nothing_more_are_read() throws IOException {
    Map<String, ?> keys =
        Map.of(
            "rope.scaling.type", "yarn",
            "rope.scaling.factor", 4f,
            "rope.scaling.attn_factor", 1f,
            "rope.scaling.yarn_attn_factor", 1f,
            "rope.scaling.yarn_ext_factor", -1f,
            "rope.scaling.yarn_log_multiplier", 0f);
    assertEquals(
        "yarn", config("llama", keys).path("rope_parameters").path("rope_type").textValue());
  }
}
