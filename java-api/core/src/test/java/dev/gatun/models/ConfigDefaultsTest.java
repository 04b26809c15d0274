package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A key that {@code config.json} lacks has the value that transformers gives it: the model computes
 * the same bits, or fails in the same words, as with that value written out.
 */
final class ConfigDefaultsTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Path GOLDENS = Path.of("../../test/goldens");

  @TempDir private Path folder;

  private static JsonNode defaults() throws IOException {
    return JSON.readTree(GOLDENS.resolve("config-defaults.json").toFile()).path("defaults");
  }

  /** A small model of each type. */
  static List<String> models() throws IOException {
    List<String> models = new ArrayList<>();
    defaults().fieldNames().forEachRemaining(models::add);
    assertTrue(models.size() >= 40, models.toString());
    return models;
  }

  @ParameterizedTest
  @MethodSource("models")
  void missing_keys_are_those_of_transformers(String name) throws IOException {
    Path model = GOLDENS.resolve(name);
    ObjectNode config = (ObjectNode) JSON.readTree(model.resolve("config.json").toFile());
    Files.createSymbolicLink(
        folder.resolve("model.safetensors"),
        model.resolve("model.safetensors").toAbsolutePath().normalize());
    List<String> wrong = new ArrayList<>();
    for (var entry : defaults().path(name).properties()) {
      ObjectNode without = config.deepCopy();
      without.remove(entry.getKey());
      ObjectNode with = config.deepCopy();
      with.set(entry.getKey(), entry.getValue());
      String missing = result(entry.getKey(), without);
      String written = result(entry.getKey(), with);
      if (!missing.equals(written) && !missing.endsWith("' is missing")) {
        wrong.add(entry.getKey() + " = " + entry.getValue() + ": " + missing + " but " + written);
      }
    }
    assertEquals(List.of(), wrong);
  }

  static List<String> rotary() throws IOException {
    List<String> models = new ArrayList<>();
    JSON.readTree(GOLDENS.resolve("config-defaults.json").toFile())
        .path("rope_theta")
        .fieldNames()
        .forEachRemaining(models::add);
    assertTrue(models.size() >= 15, models.toString());
    return models;
  }

  /** Without any rotary setting the base is that of the class. */
  @ParameterizedTest
  @MethodSource("rotary")
  void a_missing_base_is_that_of_transformers(String name) throws IOException {
    JsonNode theta =
        JSON.readTree(GOLDENS.resolve("config-defaults.json").toFile()).path("rope_theta");
    Path model = GOLDENS.resolve(name);
    ObjectNode without = (ObjectNode) JSON.readTree(model.resolve("config.json").toFile());
    without.remove(List.of("rope_parameters", "rope_scaling", "rope_theta", "rotary_emb_base"));
    Files.createSymbolicLink(
        folder.resolve("model.safetensors"),
        model.resolve("model.safetensors").toAbsolutePath().normalize());
    ObjectNode with = without.deepCopy();
    with.set("rope_theta", theta.path(name));
    assertEquals(result("rope_theta", with), result("rope_theta", without));
  }

  /** What the model computes, or why it does not; the value of the key left out of the words. */
  private String result(String key, ObjectNode config) throws IOException {
    Files.writeString(folder.resolve("config.json"), config.toString());
    long[][] ids = {{5, 6, 7, 8, 9}};
    try {
      String type = config.path("model_type").textValue();
      if (AutoModel.kind(type).orElseThrow().equals("encoder-decoder")) {
        try (Seq2SeqLm model = AutoModel.loadSeq2SeqLm(folder);
            Seq2SeqOutput output = model.forward(Seq2SeqInputs.ofLabels(ids, null, ids))) {
          return bits(output.logits().toFloatArray());
        }
      }
      if (AutoModel.kind(type).orElseThrow().equals("decoder")) {
        try (CausalLm model = AutoModel.loadCausalLm(folder);
            CausalLmOutput output = model.forward(CausalLmInputs.of(ids))) {
          return bits(output.logits().toFloatArray());
        }
      }
      try (EncoderModel model = AutoModel.load(folder);
          EncoderOutput output = model.forward(EncoderInputs.of(ids))) {
        String head = output.logits() == null ? "" : bits(output.logits().toFloatArray());
        return bits(output.lastHiddenState().toFloatArray()) + head;
      }
    } catch (RuntimeException e) {
      String said = e.getMessage();
      return said.endsWith("' is missing")
          ? said
          : said.replaceAll("'" + key + "' is [^,]*", "'" + key + "' is ?");
    }
  }

  private static String bits(float[] values) {
    return "bits " + Arrays.hashCode(values);
  }
}
