package dev.gatun.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Keys of a configuration that nobody reads are named, those that change nothing are not. */
final class UnreadKeysTest {
  @TempDir private Path folder;

  static List<Path> goldens() throws IOException {
    try (Stream<Path> all = Files.walk(ModelFiles.GOLDENS, 2)) {
      return all.filter(
              each ->
                  Files.exists(each.resolve("config.json"))
                      && Files.exists(each.resolve("model.safetensors")))
          .sorted()
          .toList();
    }
  }

  /** What transformers writes is read, or known to change nothing. */
  @ParameterizedTest
  @MethodSource("goldens")
  void no_key_of_a_golden_is_passed_by(Path golden) throws IOException {
    try (Model model = load(golden)) {
      assertEquals(Set.of(), UnreadKeys.of(model.config()));
    }
  }

  private static Model load(Path golden) throws IOException {
    JsonNode config = new ObjectMapper().readTree(golden.resolve("config.json").toFile());
    String architecture = config.path("architectures").path(0).asText();
    if (architecture.matches(
        ".*(EncoderModel|TextModel|ForSequenceClassification|ForQuestionAnswering)")) {
      return AutoModel.load(golden);
    }
    return switch (AutoModel.kind(config.path("model_type").asText()).orElseThrow()) {
      case "decoder" -> AutoModel.loadCausalLm(golden);
      case "encoder" -> AutoModel.load(golden);
      default -> AutoModel.loadSeq2SeqLm(golden);
    };
  }

  @Test
  void strictness_is_true_or_false() throws IOException {
    ModelFiles files = ModelFiles.read("bert-mlm");
    files.config.put("attention_temperature", 0.5);
    files.write(folder);
    System.setProperty("gatun.strict", "maybe");
    try {
      assertEquals(
          "-Dgatun.strict=maybe: expected true or false",
          assertThrows(IllegalArgumentException.class, () -> AutoModel.load(folder).close())
              .getMessage());
    } finally {
      System.clearProperty("gatun.strict");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"decoders/llama", "bert-mlm"})
  void others_are_named_in_one_warning(String golden) throws IOException {
    ModelFiles files = ModelFiles.read(golden);
    files.config.put("attention_temperature", 0.5);
    files.config.put("use_cache", false);
    files.config.put("position_embedding_type", "relative_key");
    files.config.putNull("nothing");
    files.write(folder);
    System.setProperty("gatun.strict", "true");
    try {
      IllegalArgumentException e =
          assertThrows(
              IllegalArgumentException.class,
              () ->
                  (golden.equals("bert-mlm")
                          ? AutoModel.load(folder)
                          : AutoModel.loadCausalLm(folder))
                      .close());
      assertTrue(
          e.getMessage()
              .contains("does not read 'attention_temperature', 'position_embedding_type': what"),
          e.getMessage());
    } finally {
      System.clearProperty("gatun.strict");
    }
  }
}
