package dev.gatun.generation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What each setting makes of scores, against transformers. */
final class LogitsProcessorsTest {
  private static final Path GOLDENS = Path.of("../../test/goldens");
  private static final ObjectMapper JSON = new ObjectMapper();

  private static final Map<String, UnaryOperator<GenerationConfig.Builder>> SETTINGS =
      Map.ofEntries(
          Map.entry("temperature-0.7", b -> sampling(b).temperature(0.7f)),
          Map.entry("top-k-5", b -> sampling(b).topK(5)),
          Map.entry("top-p-0.8", b -> sampling(b).topP(0.8)),
          Map.entry("min-p-0.1", b -> sampling(b).minP(0.1)),
          Map.entry("typical-0.6", b -> sampling(b).typicalP(0.6)),
          Map.entry("epsilon-0.02", b -> sampling(b).epsilonCutoff(0.02)),
          Map.entry("eta-0.02", b -> sampling(b).etaCutoff(0.02)),
          Map.entry("repetition-1.3", b -> b.repetitionPenalty(1.3f)),
          Map.entry("no-repeat-ngram-2", b -> b.noRepeatNgramSize(2)),
          Map.entry("min-length-20-eos-2", b -> b.minLength(20).eosTokenId(List.of(2))),
          Map.entry("bad-words", b -> b.badWordsIds(List.of(List.of(7), List.of(9, 9)))),
          Map.entry(
              "bias",
              b ->
                  b.sequenceBias(
                      List.of(new TokenBias(List.of(3), 5), new TokenBias(List.of(35, 4), -5)))),
          Map.entry(
              "all-in-order",
              b -> sampling(b).repetitionPenalty(1.3f).temperature(0.7f).topK(5).topP(0.8)));

  @TempDir Path directory;

  private static GenerationConfig.Builder sampling(GenerationConfig.Builder builder) {
    return builder.doSample(true).topK(0);
  }

  static Set<String> names() {
    return SETTINGS.keySet();
  }

  @ParameterizedTest
  @MethodSource("names")
  void a_setting_gives_what_transformers_gives(String name) throws IOException {
    GenerationConfig config = SETTINGS.get(name).apply(GenerationConfig.builder()).build();
    Sampler sampler = new Sampler(config, 100, null);
    try (TensorFile file =
        TensorFile.open(GOLDENS.resolve("logits-processors/expected.safetensors"))) {
      long[] ids = file.get("in.input_ids").data().toArray(ValueLayout.JAVA_LONG);
      float[] logits = floats(file, "in.logits");
      float[] expected = floats(file, "out." + name);
      int rows = (int) file.get("in.logits").shape()[0];
      int vocabulary = logits.length / rows;
      int length = ids.length / rows;
      for (int row = 0; row < rows; row++) {
        int first = row * length;
        int[] history = IntStream.range(0, length).map(i -> (int) ids[first + i]).toArray();
        float[] scores = Arrays.copyOfRange(logits, row * vocabulary, (row + 1) * vocabulary);
        sampler.process(scores, new TokenHistory(history));
        close(Arrays.copyOfRange(expected, row * vocabulary, (row + 1) * vocabulary), scores, name);
      }
    }
  }

  @Test
  void every_result_of_the_golden_is_tried() throws IOException {
    try (TensorFile file =
        TensorFile.open(GOLDENS.resolve("logits-processors/expected.safetensors"))) {
      for (String name : file.names()) {
        if (name.startsWith("out.")) {
          assertEquals(true, SETTINGS.containsKey(name.substring(4)), name);
        }
      }
    }
  }

  /** The settings come by way of a generation_config.json, as a model's do. */
  @Test
  void settings_together_apply_in_the_order_of_transformers() throws IOException {
    Path golden = GOLDENS.resolve("generation-settings");
    JsonNode cases = JSON.readTree(golden.resolve("case.json").toFile()).get("cases");
    try (TensorFile file = TensorFile.open(golden.resolve("expected.safetensors"))) {
      for (int i = 0; i < cases.size(); i++) {
        JsonNode settings = cases.get(i).get("generation_config");
        Files.writeString(directory.resolve("generation_config.json"), settings.toString());
        GenerationDefaults defaults = GenerationConfig.load(directory);
        assertEquals(List.of(), defaults.warnings());
        int[] ids =
            StreamSupport.stream(cases.get(i).get("ids").spliterator(), false)
                .mapToInt(JsonNode::intValue)
                .toArray();
        TokenHistory history = new TokenHistory(ids, cases.get(i).get("prompt_length").intValue());
        float[] scores = floats(file, "in." + i + ".scores");
        GenerationConfig config = defaults.config();
        new Sampler(config, config.maxLength().getAsInt(), null).process(scores, history);
        close(floats(file, "out." + i), scores, i + ": " + settings);
      }
    }
  }

  private static float[] floats(TensorFile file, String name) {
    return file.get(name).data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
  }

  private static void close(float[] expected, float[] actual, String what) {
    assertEquals(expected.length, actual.length, what);
    for (int i = 0; i < expected.length; i++) {
      assertEquals(
          expected[i],
          actual[i],
          Float.isFinite(expected[i]) ? 1e-5f * Math.max(1, Math.abs(expected[i])) : 0,
          what + ", token " + i);
    }
  }

  @Test
  void all_of_the_entropy_keeps_all_tokens() {
    Sampler sampler = new Sampler(sampling(GenerationConfig.builder()).topH(1).build(), 100, null);
    Random random = new Random(5);
    for (int row = 0; row < 200; row++) {
      float[] scores = new float[48];
      for (int id = 0; id < scores.length; id++) {
        scores[id] = (float) (3 * random.nextGaussian());
      }
      float[] kept = scores.clone();
      sampler.process(kept, new TokenHistory(new int[] {1}));
      assertArrayEquals(scores, kept);
    }
  }

  /** All n-grams of a source are left out, its first and its last too, and no token else. */
  @Test
  void n_grams_of_a_source_do_not_come_again() {
    int[] source = {1, 2, 3, 4};
    for (int last = 0; last < 5; last++) {
      float[] scores = new float[6];
      Penalties.encoderNoRepeatNgram(2, source)
          .apply(scores, new TokenHistory(new int[] {5, last}));
      for (int id = 0; id < scores.length; id++) {
        boolean again = last >= 1 && last <= 3 && id == last + 1;
        assertEquals(again ? Float.NEGATIVE_INFINITY : 0, scores[id], id + " after " + last);
      }
    }
  }
}
