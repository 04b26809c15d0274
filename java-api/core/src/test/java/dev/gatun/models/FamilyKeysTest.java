package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys under other names, of older files, and that a class has and does not read. */
final class FamilyKeysTest {
  private static final long[][] IDS = {{16, 76, 36, 79, 80, 12, 9, 33}, {83, 31, 89}};

  @TempDir private Path folder;

  private static JsonNode classes(String part) throws IOException {
    Path file = ModelFiles.GOLDENS.resolve("config-defaults.json");
    return new ObjectMapper().readTree(file.toFile()).path(part);
  }

  private static float[] logits(Path directory) throws IOException {
    String type = Config.read(directory).text("model_type", "");
    if (AutoModel.kind(type).orElseThrow().equals("decoder")) {
      try (CausalLm model = AutoModel.loadCausalLm(directory);
          CausalLmOutput output = model.forward(CausalLmInputs.of(IDS))) {
        assertEquals(Set.of(), UnreadKeys.of(model.config()));
        return output.logits().toFloatArray();
      }
    }
    try (Seq2SeqLm model = AutoModel.loadSeq2SeqLm(directory);
        Seq2SeqOutput output = model.forward(Seq2SeqInputs.of(IDS, null, IDS))) {
      assertEquals(Set.of(), UnreadKeys.of(model.config()));
      return output.logits().toFloatArray();
    }
  }

  private float[] written(ModelFiles files) throws IOException {
    files.write(folder);
    return logits(folder);
  }

  private static float[] golden(String name) throws IOException {
    return logits(ModelFiles.GOLDENS.resolve(name));
  }

  /** Models whose class in transformers has other names of keys. */
  static List<String> named() throws IOException {
    List<String> names = new ArrayList<>();
    classes("names").fieldNames().forEachRemaining(names::add);
    assertTrue(names.size() >= 15, names.toString());
    return names;
  }

  @ParameterizedTest
  @MethodSource("named")
  void keys_may_have_the_names_that_transformers_maps(String name) throws IOException {
    ModelFiles files = ModelFiles.read(name);
    for (var each : classes("names").path(name).properties()) {
      files.config.set(each.getKey(), files.config.remove(each.getValue().textValue()));
    }
    assertArrayEquals(golden(name), written(files));
  }

  @Test
  void a_window_that_is_not_said_is_that_of_the_class() throws IOException {
    int compared = 0;
    for (var each : classes("defaults").properties()) {
      JsonNode window = each.getValue().path("sliding_window");
      if (!window.isInt() || window.intValue() == 0) {
        continue;
      }
      Path golden = ModelFiles.GOLDENS.resolve(each.getKey()).resolve("config.json");
      ObjectNode config = (ObjectNode) new ObjectMapper().readTree(golden.toFile());
      config.remove(List.of("sliding_window", "layer_types"));
      config.put("use_sliding_window", true).put("max_window_layers", 0);
      String type = config.path("model_type").textValue();
      if (type.equals("qwen2_moe")) {
        config.put("max_window_layers", 1);
      }
      Path file = folder.resolve("config.json");
      Files.writeString(file, config.toString());
      assertEquals(window.intValue(), SlidingWindow.of(Config.of(file), type, 0), type);
      Files.writeString(file, config.putNull("sliding_window").toString());
      assertEquals(0, SlidingWindow.of(Config.of(file), type, 0), type);
      compared++;
    }
    assertTrue(compared >= 5, compared + " windows");
  }

  /** Names of LongRoPE in the first files of Phi-3, which transformers reads still. */
  @ParameterizedTest
  @ValueSource(strings = {"su", "yarn"})
  void older_names_of_longrope(String type) throws IOException {
    ModelFiles files = ModelFiles.read("decoders/phi3-longrope");
    ObjectNode rope = (ObjectNode) files.config.remove("rope_parameters");
    files.config.set("rope_theta", rope.remove("rope_theta"));
    rope.remove(List.of("rope_type", "original_max_position_embeddings", "partial_rotary_factor"));
    files.config.set("rope_scaling", rope.put("type", type));
    assertArrayEquals(golden("decoders/phi3-longrope"), written(files));
  }

  /** Gemma 3's settings beside its layers', as files before transformers 5 have them. */
  @Test
  void rotary_settings_of_gemma_3_in_either_place() throws IOException {
    ModelFiles files = ModelFiles.read("decoders/gemma3");
    JsonNode both = files.config.remove("rope_parameters");
    ObjectNode full = both.path("full_attention").deepCopy();
    files.config.set("rope_theta", full.remove("rope_theta"));
    files.config.set("rope_scaling", full);
    files.config.set("rope_local_base_freq", both.path("sliding_attention").path("rope_theta"));
    assertArrayEquals(golden("decoders/gemma3"), written(files));
    ObjectNode nested = files.config.putObject("rope_parameters");
    nested.putObject("full_attention").put("rope_type", "linear");
    nested.putObject("sliding_attention").put("rope_type", "default");
    assertArrayEquals(golden("decoders/gemma3"), written(files));
  }

  /** The length that LLaMA 3's scaling was trained for is else the longest. */
  @Test
  void original_length_of_llama3() throws IOException {
    ModelFiles files = ModelFiles.read("decoders/llama-gqa");
    ObjectNode rope = (ObjectNode) files.config.path("rope_parameters");
    rope.put("original_max_position_embeddings", 128);
    assertEquals(128, files.config.path("max_position_embeddings").intValue());
    float[] want = written(files);
    rope.remove("original_max_position_embeddings");
    assertArrayEquals(want, written(files));
  }

  /** Types of relative positions: in any letters as a text, and unknown ones. */
  @ParameterizedTest
  @CsvSource({
    "deberta-mlm, 'C2P|p2c', 1.50563490 -0.12076977 0.90710336 1.09759152",
    "deberta-mlm, 'c2p|p2c|p2p', 1.48816216 -0.13853112 0.93852013 1.07702267",
    "deberta-v2-mlm, 'c2p|P2C|p2p', 1.11220968 -0.28305754 0.03491713 -1.38663483"
  })
  void types_of_deberta(String golden, String types, String want) throws IOException {
    ModelFiles files = ModelFiles.read(golden);
    files.config.put("pos_att_type", types);
    if (files.config.has("norm_rel_ebd")) {
      files.config.put("norm_rel_ebd", "LAYER_NORM");
    }
    files.write(folder);
    long[][] ids = {{83, 31, 89, 7, 2}};
    try (EncoderModel model = AutoModel.load(folder);
        EncoderOutput output = model.forward(EncoderInputs.of(ids))) {
      int second = model.hiddenSize();
      float[] states = output.lastHiddenState().toFloatArray();
      String[] numbers = want.split(" ");
      for (int i = 0; i < numbers.length; i++) {
        assertEquals(Float.parseFloat(numbers[i]), states[second + i], 1e-5f);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "deberta-mlm, talking_head, true, 'true, expected false: heads are not mixed'",
    "deberta-v2-conv, conv_kernel_size, 4, '4, expected 0 or an odd number: each token is a"
        + " window''s middle'"
  })
  void blocks_of_deberta_that_there_are_not(String golden, String key, String value, String told)
      throws IOException {
    ModelFiles files = ModelFiles.read(golden);
    files.config.set(key, new ObjectMapper().readTree(value));
    files.write(folder);
    String message =
        assertThrows(IllegalArgumentException.class, () -> AutoModel.load(folder)).getMessage();
    assertTrue(message.endsWith("'" + key + "' is " + told), message);
  }
}
