package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.gatun.compression.GgufQuantizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Encoders whose {@code config.json} and weights have the names of published checkpoints. */
final class PublishedEncodersTest {
  private static final Set<String> WARNED = Set.of("nomic-partial");

  @TempDir private Path folder;

  private static JsonNode file() throws IOException {
    Path file = ModelFiles.GOLDENS.resolve("published-encoders.json");
    return new ObjectMapper().readTree(file.toFile());
  }

  static List<String> cases() throws IOException {
    List<String> names = new ArrayList<>();
    file().path("cases").fieldNames().forEachRemaining(names::add);
    assertTrue(names.size() >= 6, names.toString());
    return names;
  }

  private static ModelFiles read(JsonNode one) throws IOException {
    ModelFiles files = ModelFiles.read(one.path("golden").textValue());
    one.path("removed").forEach(key -> files.config.remove(key.textValue()));
    files.config.setAll((ObjectNode) one.path("set"));
    return files;
  }

  /** The files of a case, with weights named as beside such a configuration. */
  private static ModelFiles files(String name) throws IOException {
    ModelFiles files = read(file().path("cases").path(name));
    for (String old : List.copyOf(files.tensors.keySet())) {
      String published =
          old.replaceFirst("^gte\\.", "new.")
              .replaceFirst("^nomic_bert\\.", "bert.")
              .replace("transform.layer_norm", "transform.LayerNorm");
      files.tensors.put(published, files.tensors.remove(old));
    }
    return files;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void scores_are_those_of_the_reference(String name) throws IOException {
    files(name).write(folder);
    JsonNode one = file().path("cases").path(name);
    long[] ids = new long[file().path("ids").path(0).size()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = file().path("ids").path(0).path(i).longValue();
    }
    try (EncoderModel model = AutoModel.load(folder);
        EncoderOutput output = model.forward(EncoderInputs.of(new long[][] {ids}))) {
      float[] logits = output.logits().toFloatArray();
      int columns = logits.length / ids.length;
      for (int i = 0; i < one.path("at").size(); i++) {
        JsonNode at = one.path("at").path(i);
        float got = logits[at.path(0).intValue() * columns + at.path(1).intValue()];
        assertEquals(one.path("logits").path(i).floatValue(), got, 1e-5, name + " " + at);
      }
      assertEquals(Set.of(), UnreadKeys.of(model.config()));
    }
  }

  /** A setting that is passed by is told, where transformers says nothing. */
  @ParameterizedTest
  @MethodSource("cases")
  void what_has_no_effect_is_told(String name) throws IOException {
    files(name).write(folder);
    System.setProperty("gatun.strict", "true");
    try {
      if (WARNED.contains(name)) {
        var e = assertThrows(IllegalArgumentException.class, () -> AutoModel.load(folder).close());
        assertTrue(e.getMessage().contains("'partial_rotary_factor' has no effect"), e::getMessage);
      } else {
        AutoModel.load(folder).close();
      }
    } finally {
      System.clearProperty("gatun.strict");
    }
  }

  private static Arguments refused(String name, String message, Consumer<ObjectNode> change) {
    return Arguments.of(name, message, change);
  }

  static Stream<Arguments> refused() {
    return Stream.of(
        refused(
            "gte",
            "'position_embedding_type' is \"absolute\", expected rope",
            config -> config.put("position_embedding_type", "absolute")),
        refused(
            "gte",
            "'layer_norm_type' is \"rms_norm\", expected layer_norm",
            config -> config.put("layer_norm_type", "rms_norm")),
        refused(
            "gte",
            "'pack_qkv' is false, expected true: queries",
            config -> config.put("pack_qkv", false)),
        refused(
            "gte",
            "'logn_attention_scale' is true, expected false: scores",
            config -> config.put("logn_attention_scale", true)),
        refused(
            "gte",
            "'mixed_b' of the rotary settings is not null, expected none",
            config -> ((ObjectNode) config.path("rope_scaling")).put("mixed_b", 0.75)),
        refused(
            "gte",
            "'factor' of the rotary settings is null, expected a number from 1",
            config -> ((ObjectNode) config.path("rope_scaling")).remove("factor")),
        refused(
            "gte",
            "'factor' of the rotary settings is 0.5, expected a number from 1",
            config -> ((ObjectNode) config.path("rope_scaling")).put("factor", 0.5)),
        refused(
            "nomic",
            "'scale_attn_by_inverse_layer_idx' is true, expected false",
            config -> config.put("scale_attn_by_inverse_layer_idx", true)),
        refused(
            "nomic",
            "'scale_attn_weights' is false, expected true",
            config -> config.put("scale_attn_weights", false)));
  }

  @ParameterizedTest
  @MethodSource("refused")
  void blocks_of_no_checkpoint_are_refused(String name, String message, Consumer<ObjectNode> change)
      throws IOException {
    ModelFiles files = files(name);
    change.accept(files.config);
    files.write(folder);
    var e = assertThrows(IllegalArgumentException.class, () -> AutoModel.load(folder).close());
    assertTrue(e.getMessage().contains(message), e::getMessage);
  }

  /** NomicBERT's first class is a kind of GPT-2's, with the numbers that this has. */
  @Test
  void keys_that_a_nomic_bert_lacks_are_those_of_gpt2() throws IOException {
    ModelFiles files = files("nomic");
    files.config.put("layer_norm_epsilon", 1e-5).put("n_positions", 1024);
    float[] want = logits(files);
    files.config.remove(List.of("layer_norm_epsilon", "n_positions"));
    assertArrayEquals(want, logits(files));
    try (EncoderModel model = AutoModel.load(folder)) {
      assertEquals(1024, model.maxLength());
    }
  }

  /** Without its head. */
  @Test
  void a_nomic_bert_is_written_as_gguf() throws IOException {
    files("nomic").write(folder);
    Path gguf = folder.resolve("model.gguf");
    GgufQuantizer.quantize(folder, gguf, "F32", null);
    assertArrayEquals(states(folder), states(gguf), 1e-5f);
  }

  private static float[] states(Path path) throws IOException {
    try (EncoderModel model = AutoModel.load(path);
        EncoderOutput output = model.forward(EncoderInputs.of(new long[][] {{16, 76, 36}}))) {
      return output.lastHiddenState().toFloatArray();
    }
  }

  private float[] logits(ModelFiles files) throws IOException {
    files.write(folder);
    try (EncoderModel model = AutoModel.load(folder);
        EncoderOutput output = model.forward(EncoderInputs.of(new long[][] {{16, 76, 36}}))) {
      return output.logits().toFloatArray();
    }
  }

  /** ModernBERT's epsilon under the other name, where it is another number, is not what it has. */
  @Test
  void an_epsilon_of_another_name_is_told() throws IOException {
    ModelFiles files = files("modernbert");
    files.config.put("layer_norm_eps", 0.5);
    files.write(folder);
    try (EncoderModel model = AutoModel.load(folder)) {
      assertEquals(Set.of("layer_norm_eps"), UnreadKeys.of(model.config()));
    }
  }
}
