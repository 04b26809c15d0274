package dev.gatun.test.goldens;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.compression.GgufQuantizer;
import dev.gatun.compression.QuantizedModel;
import dev.gatun.models.AutoModel;
import dev.gatun.models.CausalLm;
import dev.gatun.models.CausalLmInputs;
import dev.gatun.models.CausalLmOutput;
import dev.gatun.tensor.Device;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.gguf.GgufFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Hugging Face directories become GGUF files that mean the same model. */
final class GgufWritingTest {
  private static final Path GOLDENS = Path.of("goldens");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir private Path folder;

  /** The files of a golden model that ggml's own package wrote. */
  static List<Path> files() throws IOException {
    try (Stream<Path> files = Files.list(GOLDENS.resolve("gguf"))) {
      return files
          .filter(Files::isRegularFile)
          .filter(file -> Files.isDirectory(GgufModelsTest.directory(file)))
          .sorted()
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("files")
  void a_written_model_equals_the_one_that_ggmls_package_writes(Path golden) throws IOException {
    Path written = folder.resolve(golden.getFileName().toString());
    GgufQuantizer.quantize(GgufModelsTest.directory(golden), written, "F32", null);
    try (TensorFile mine = TensorFile.open(written);
        TensorFile other = TensorFile.open(golden)) {
      assertEquals(other.names(), mine.names());
      for (String name : other.names()) {
        TensorFile.Entry want = other.get(name);
        TensorFile.Entry got = mine.get(name);
        assertArrayEquals(want.shape(), got.shape(), name);
        assertArrayEquals(
            want.data().toArray(ValueLayout.JAVA_BYTE),
            got.data().toArray(ValueLayout.JAVA_BYTE),
            name);
      }
    }
    try (GgufFile other = GgufFile.open(golden);
        GgufFile mine = GgufFile.open(written)) {
      ObjectNode got = mine.config();
      other
          .config()
          .properties()
          .forEach(
              key -> {
                // Factors are rounded another way; the logits are compared below.
                if (!key.getKey().equals("rope_parameters")) {
                  assertEquals(key.getValue(), got.get(key.getKey()), key.getKey());
                }
              });
    }
    DecoderGoldens.check(GgufModelsTest.directory(golden), written, Device.cpu());
  }

  /** What is missing is written as the directory is read: with what the library has for it. */
  @ParameterizedTest
  @CsvSource({
    "decoders/cohere, rope_parameters",
    "decoders/mixtral, rope_parameters",
    "decoders/mixtral, max_position_embeddings",
    "decoders/cohere, logit_scale",
    "decoders/starcoder2-window, tie_word_embeddings sliding_window",
  })
  void a_directory_that_lacks_a_key_is_written_as_it_is_read(String name, String keys)
      throws IOException {
    Path golden = GOLDENS.resolve(name);
    ObjectNode config = (ObjectNode) JSON.readTree(golden.resolve("config.json").toFile());
    config.remove(List.of(keys.split(" ")));
    compare(golden, config);
  }

  @Test
  void llama_has_factors_for_long_texts_too() throws IOException {
    Path golden = GOLDENS.resolve("decoders").resolve("llama");
    ObjectNode config = (ObjectNode) JSON.readTree(golden.resolve("config.json").toFile());
    config.remove("rope_scaling");
    ObjectNode rope = config.putObject("rope_parameters").put("rope_type", "longrope");
    rope.put("original_max_position_embeddings", 8).put("factor", 3.0).put("rope_theta", 1e4);
    rope.putArray("short_factor").add(1).add(1.25).add(1.5).add(2);
    rope.putArray("long_factor").add(1).add(2).add(3).add(4);
    config.remove("rope_theta");
    compare(golden, config);
  }

  @Test
  void whole_heads_of_gpt_neox_turn() throws IOException {
    Path golden = GOLDENS.resolve("decoders").resolve("gpt-neox");
    ObjectNode config = (ObjectNode) JSON.readTree(golden.resolve("config.json").toFile());
    compare(golden, config.put("rotary_pct", 1.0));
  }

  private void compare(Path golden, ObjectNode config) throws IOException {
    JSON.writeValue(folder.resolve("config.json").toFile(), config);
    Files.copy(golden.resolve("model.safetensors"), folder.resolve("model.safetensors"));
    Path written = folder.resolve("written.gguf");
    GgufQuantizer.quantize(folder, written, "F32", null);
    long[] ids = {3, 9, 4, 7, 5, 8, 6};
    try (CausalLm directory = AutoModel.loadCausalLm(folder);
        CausalLm file = AutoModel.loadCausalLm(written);
        CausalLmOutput want = directory.forward(CausalLmInputs.of(ids));
        CausalLmOutput got = file.forward(CausalLmInputs.of(ids))) {
      assertEquals(directory.maxLength(), file.maxLength());
      assertArrayEquals(want.logits().toFloatArray(), got.logits().toFloatArray());
    }
  }

  @ParameterizedTest
  @CsvSource({
    "gptj, model_type is 'gptj'",
    "gpt2-scaled, scale_attn_by_inverse_layer_idx",
    "falcon-alibi, alibi",
    "gemma3, layer_types",
    "llama-gptq, quantization_config",
    "qwen2-moe, mlp_only_layers",
    "qwen3-moe, decoder_sparse_step"
  })
  void what_gguf_has_no_words_for_is_refused_by_name(String name, String told) {
    Path out = folder.resolve("none.gguf");
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () ->
                    GgufQuantizer.quantize(
                        GOLDENS.resolve("decoders").resolve(name), out, "F32", null))
            .getMessage();
    assertTrue(message.contains(told), message);
    assertTrue(Files.notExists(out));
  }

  @Test
  void a_file_keeps_its_keys_and_changes_its_types() throws IOException {
    Path golden = GOLDENS.resolve("gguf-llama").resolve("model-q4_k.gguf");
    Path wide = folder.resolve("wide.gguf");
    GgufQuantizer.quantize(golden, wide, "F32", null);
    Path again = folder.resolve("again.gguf");
    QuantizedModel result = GgufQuantizer.quantize(wide, again, "Q8_0", null);
    Map<String, Integer> types = result.types();
    assertTrue(types.get("Q8_0") > 0 && types.get("F32") > 0, types.toString());
    try (TensorFile before = TensorFile.open(golden);
        TensorFile after = TensorFile.open(wide)) {
      assertEquals(before.names(), after.names());
      assertEquals(before.metadata(), after.metadata());
      for (String name : before.names()) {
        assertArrayEquals(
            before.get(name).data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED),
            after.get(name).data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED),
            name);
      }
    }
  }

  @Test
  void no_other_type_is_taken() {
    String message =
        assertThrows(
                IllegalArgumentException.class,
                () -> GgufQuantizer.quantize(folder, folder.resolve("x.gguf"), "Q9_9", null))
            .getMessage();
    assertTrue(message.contains("Q4_K_M"), message);
  }
}
