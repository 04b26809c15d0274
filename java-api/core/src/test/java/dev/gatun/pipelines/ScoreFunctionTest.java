package dev.gatun.pipelines;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.models.Config;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What becomes of a classifier's logits, by the keys of transformers and cross-encoders. */
final class ScoreFunctionTest {
  @TempDir private Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{}; ; SOFTMAX",
        "{'num_labels': 1}; ; SIGMOID",
        "{'problem_type': 'regression', 'num_labels': 1}; ; NONE",
        "{'num_labels': 1, 'sbert_ce_default_activation_function':"
            + " 'torch.nn.modules.linear.Identity'}; ; NONE",
        "{'num_labels': 1, 'sbert_ce_default_activation_function': null}; ; SIGMOID",
        "{'sbert_ce_default_activation_function': 'torch.nn.modules.activation.Sigmoid'}; ;"
            + " SIGMOID",
        "{'num_labels': 1, 'sentence_transformers': {'version': '4.0.1', 'activation_fn':"
            + " 'torch.nn.modules.linear.Identity'}}; ; NONE",
        "{'sentence_transformers': {'activation_fn': 'torch.nn.modules.activation.Softmax'},"
            + " 'sbert_ce_default_activation_function': 'torch.nn.modules.linear.Identity'}; ;"
            + " SOFTMAX",
        "{'num_labels': 1}; {'model_type': 'CrossEncoder', 'activation_fn':"
            + " 'torch.nn.modules.linear.Identity'}; NONE",
        "{'num_labels': 1}; {'model_type': 'CrossEncoder'}; SIGMOID",
        "{'num_labels': 3}; {'model_type': 'CrossEncoder'}; NONE",
      })
  void files_ask_for_a_function(String config, String sentence, ScoreFunction expected)
      throws IOException {
    assertEquals(
        expected,
        ScoreFunction.of(
            read("config.json", config), sentence == null ? null : read("s.json", sentence)));
  }

  @Test
  void a_function_that_is_not_known_is_named() throws IOException {
    Config config =
        read("config.json", "{'sbert_ce_default_activation_function': 'my_code.Sigmoid'}");
    String said =
        assertThrows(IllegalArgumentException.class, () -> ScoreFunction.of(config, null))
            .getMessage();
    assertTrue(
        said.contains("'sbert_ce_default_activation_function' is \"my_code.Sigmoid\""), said);
  }

  private Config read(String name, String json) throws IOException {
    return Config.of(Files.writeString(folder.resolve(name), json.replace('\'', '"')));
  }
}
