package dev.gatun.pipelines;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.List;
import org.junit.jupiter.api.Test;

class PostProcessingTest {
  private static JsonNode json(String text) throws Exception {
    return new ObjectMapper().readTree(text);
  }

  @Test
  void softmaxStandsLargeLogits() {
    assertArrayEquals(
        new float[] {0.5f, 0.5f, 0}, Scores.softmax(new float[] {1e30f, 1e30f, -1e30f}), 0);
    assertArrayEquals(
        new float[] {0.26894143f, 0.73105857f}, Scores.softmax(new float[] {1, 2}), 1e-7f);
  }

  @Test
  void sigmoidIsTwoSided() {
    assertArrayEquals(new float[] {0, 0.5f, 1}, Scores.sigmoid(new float[] {-200, 0, 200}), 1e-30f);
  }

  @Test
  void topKeepsTheOrderOfEqualOnes() {
    assertArrayEquals(new int[] {1, 3, 0}, Scores.top(new float[] {1, 2, 0, 2}, 3));
    assertArrayEquals(new int[] {0}, Scores.top(new float[] {1}, 5));
  }

  @Test
  void theConfigurationChoosesTheFunction() throws Exception {
    assertEquals(ScoreFunction.SOFTMAX, ScoreFunction.of(json("{}"), 3));
    assertEquals(ScoreFunction.SIGMOID, ScoreFunction.of(json("{}"), 1));
    String problem = "{\"problem_type\": \"%s\"}";
    assertEquals(
        ScoreFunction.SIGMOID,
        ScoreFunction.of(json(problem.formatted("multi_label_classification")), 3));
    assertEquals(ScoreFunction.NONE, ScoreFunction.of(json(problem.formatted("regression")), 1));
  }

  @Test
  void labelsHaveNames() throws Exception {
    assertArrayEquals(
        new String[] {"good", "LABEL_1"}, Labels.of(json("{\"id2label\": {\"0\": \"good\"}}"), 2));
  }

  @Test
  void poolsRaggedRows() {
    float[] hidden = {9, 9, 1, 2, 3, 6};
    float[] out = new float[2];
    Pooling.MEAN.pool(hidden, 1, 2, out);
    assertArrayEquals(new float[] {2, 4}, out);
    Pooling.CLS.pool(hidden, 1, 2, out);
    assertArrayEquals(new float[] {1, 2}, out);
    Pooling.MAX.pool(hidden, 1, 2, out);
    assertArrayEquals(new float[] {3, 6}, out);
    Pooling.MAX.pool(hidden, 1, 0, out);
    assertArrayEquals(new float[] {0, 0}, out);
  }

  @Test
  void fillsMasks() {
    assertArrayEquals(new int[] {1, 3}, MaskFilling.masks(new long[] {1, 4, 2, 4}, 4));
    assertThrows(IllegalArgumentException.class, () -> MaskFilling.masks(new long[] {1, 2}, 4));
    float[] logits = {0, 3, 1, 2};
    assertEquals(
        List.of(1, 3),
        MaskFilling.candidates(logits, 2).stream().map(MaskFilling.Candidate::id).toList());
    List<MaskFilling.Candidate> chosen = MaskFilling.candidates(logits, 5, 0, 2);
    assertEquals(List.of(2, 0), chosen.stream().map(MaskFilling.Candidate::id).toList());
    assertEquals(Scores.softmax(logits)[2], chosen.getFirst().score());
  }
}
