package dev.gatun.pipelines;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.gatun.models.Config;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PostProcessingTest {
  @TempDir private Path folder;

  private Config config(String text) throws IOException {
    Files.writeString(folder.resolve("config.json"), text);
    return Config.read(folder);
  }

  private static float[] applied(ScoreFunction function, float... logits) {
    try (Tensor x = Tensor.of(Device.cpu(), logits, 1, logits.length);
        Tensor y = function.apply(x)) {
      return y.toFloatArray();
    }
  }

  @Test
  void softmaxStandsLargeLogits() {
    assertArrayEquals(
        new float[] {0.5f, 0.5f, 0}, applied(ScoreFunction.SOFTMAX, 1e30f, 1e30f, -1e30f), 0);
    assertArrayEquals(
        new float[] {0.26894143f, 0.73105857f}, applied(ScoreFunction.SOFTMAX, 1, 2), 1e-6f);
  }

  @Test
  void sigmoidIsTwoSided() {
    assertArrayEquals(
        new float[] {0, 0.5f, 1}, applied(ScoreFunction.SIGMOID, -200, 0, 200), 1e-30f);
  }

  @Test
  void theConfigurationChoosesTheFunction() throws Exception {
    assertEquals(ScoreFunction.SOFTMAX, ScoreFunction.of(config("{\"num_labels\": 3}")));
    assertEquals(ScoreFunction.SIGMOID, ScoreFunction.of(config("{\"num_labels\": 1}")));
    String problem = "{\"num_labels\": 3, \"problem_type\": \"%s\"}";
    assertEquals(
        ScoreFunction.SIGMOID,
        ScoreFunction.of(config(problem.formatted("multi_label_classification"))));
    assertEquals(
        ScoreFunction.SOFTMAX,
        ScoreFunction.of(config(problem.formatted("single_label_classification"))));
    assertEquals(ScoreFunction.NONE, ScoreFunction.of(config(problem.formatted("regression"))));
    Config wrong = config(problem.formatted("ranking"));
    String said =
        assertThrows(IllegalArgumentException.class, () -> ScoreFunction.of(wrong)).getMessage();
    assertTrue(
        said.contains("'problem_type' is \"ranking\", expected one of regression, single_label"),
        said);
  }

  @Test
  void labelsHaveNames() throws Exception {
    assertEquals(
        List.of("good", "LABEL_1"),
        config("{\"id2label\": {\"0\": \"good\", \"7\": \"x\"}}").labels());
  }
}
