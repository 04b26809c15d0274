package dev.gatun.test.generation;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.GenerationConfig.EarlyStopping;
import dev.gatun.generation.GenerationStream;
import dev.gatun.generation.GeneratorOptions;
import dev.gatun.generation.TextGenerator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Greedy, beam and penalty settings give the ids of transformers, prompts alone and together. */
final class GoldenGenerationTest {
  private static final List<Path> GOLDENS =
      List.of(Path.of("goldens/decoders"), Path.of("goldens/encoder-decoders"));
  private static final ObjectMapper JSON = new ObjectMapper();

  static List<Path> cases() throws IOException {
    List<Path> cases = new ArrayList<>();
    for (Path goldens : GOLDENS) {
      try (Stream<Path> folders = Files.list(goldens)) {
        for (Path folder : folders.sorted().toList()) {
          if (Files.exists(folder.resolve("model.safetensors"))
              && JSON.readTree(folder.resolve("case.json").toFile()).has("generations")) {
            cases.add(folder);
          }
        }
      }
    }
    return cases;
  }

  private static boolean isDecoder(Path folder) throws IOException {
    JsonNode config = JSON.readTree(folder.resolve("config.json").toFile());
    return !config.path("is_encoder_decoder").asBoolean(false);
  }

  @Test
  void there_are_cases() throws IOException {
    assertTrue(cases().size() >= 2);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void ids_are_those_of_transformers(Path folder) throws IOException {
    check(folder, JSON.readTree(folder.resolve("case.json").toFile()).get("generations"));
  }

  private static JsonNode encoderSettings() throws IOException {
    return JSON.readTree(Path.of("goldens/encoder-settings/case.json").toFile()).get("models");
  }

  static List<String> encoderModels() throws IOException {
    List<String> models = new ArrayList<>();
    encoderSettings().fieldNames().forEachRemaining(models::add);
    return models;
  }

  @ParameterizedTest
  @MethodSource("encoderModels")
  void ids_by_what_an_encoder_read_are_those_of_transformers(String model) throws IOException {
    check(Path.of("goldens", model), encoderSettings().get(model));
  }

  private static void check(Path folder, JsonNode generations) throws IOException {
    GeneratorOptions options = GeneratorOptions.defaults();
    boolean decoder = isDecoder(folder);
    for (GeneratorOptions each : List.of(options, options.withPageSize(3).withSteps(5, 7, 2))) {
      try (TextGenerator generator = TextGenerator.load(folder, each)) {
        List<GenerationStream> streams = new ArrayList<>();
        List<int[]> expected = new ArrayList<>();
        List<Integer> penalized = new ArrayList<>();
        for (JsonNode generation : generations) {
          GenerationConfig config = config(generator.defaults().config(), generation);
          for (int row = 0; row < generation.get("prompt").size(); row++) {
            int[] padded = ids(generation.get("prompt").get(row));
            int[] mask = mask(generation, row);
            int[] prompt =
                IntStream.range(0, mask.length)
                    .filter(i -> mask[i] == 1)
                    .map(i -> padded[i])
                    .toArray();
            int[] output = ids(generation.get("output").get(row));
            int[] begin = begin(generation);
            // An encoder's prompt is not in the text, which begins behind the start token.
            int from = decoder ? padded.length : 1 + begin.length;
            expected.add(untilEnd(output, from, config.eosTokenId()));
            streams.add(generator.stream(prompt, begin, config));
            boolean penalty = config.repetitionPenalty() != 1 || config.noRepeatNgramSize() > 0;
            penalized.add(decoder && penalty && prompt.length < padded.length ? padded[0] : -1);
          }
        }
        for (int i = 0; i < streams.size(); i++) {
          int[] given = streams.get(i).result().completions().getFirst().ids();
          int[] reference = expected.get(i);
          int apart = Arrays.mismatch(reference, given);
          // transformers counts padding among the tokens that are there already: where that is
          // penalized, texts part when the one alone takes its token.
          boolean byPadding =
              apart >= 0 && apart < given.length && given[apart] == penalized.get(i);
          if (!byPadding) {
            assertArrayEquals(reference, given, folder + ", generation " + i);
          }
        }
      }
    }
  }

  /** What a target begins with. */
  private static int[] begin(JsonNode generation) {
    JsonNode begin = generation.get("settings").get("begin");
    return begin == null ? new int[0] : ids(begin);
  }

  /** Which of a prompt's ids are no padding. */
  private static int[] mask(JsonNode generation, int row) {
    if (generation.hasNonNull("attention_mask")) {
      return ids(generation.get("attention_mask").get(row));
    }
    int[] all = new int[generation.get("prompt").get(row).size()];
    Arrays.fill(all, 1);
    return all;
  }

  private static GenerationConfig config(GenerationConfig defaults, JsonNode generation) {
    GenerationConfig.Builder builder =
        defaults.toBuilder().maxNewTokens(generation.get("max_new_tokens").intValue());
    generation
        .get("settings")
        .properties()
        .forEach(
            setting -> {
              JsonNode value = setting.getValue();
              switch (setting.getKey()) {
                case "do_sample" -> builder.doSample(value.booleanValue());
                case "num_beams" -> builder.numBeams(value.intValue());
                case "length_penalty" -> builder.lengthPenalty(value.floatValue());
                case "repetition_penalty" -> builder.repetitionPenalty(value.floatValue());
                case "no_repeat_ngram_size" -> builder.noRepeatNgramSize(value.intValue());
                case "encoder_repetition_penalty" ->
                    builder.encoderRepetitionPenalty(value.floatValue());
                case "encoder_no_repeat_ngram_size" ->
                    builder.encoderNoRepeatNgramSize(value.intValue());
                case "min_length" -> builder.minLength(value.intValue());
                case "early_stopping" ->
                    builder.earlyStopping(
                        value.isTextual() ? EarlyStopping.NEVER : EarlyStopping.TRUE);
                case "begin" -> {}
                case "begin_suppress_tokens" ->
                    builder.beginSuppressTokens(Arrays.stream(ids(value)).boxed().toList());
                case "forced_bos_token_id" -> builder.forcedBosTokenId(value.intValue());
                case "forced_eos_token_id" -> builder.forcedEosTokenId(List.of(value.intValue()));
                default -> throw new AssertionError(setting.getKey());
              }
            });
    return builder.build();
  }

  /** What follows the end of text is padding. */
  private static int[] untilEnd(int[] output, int from, List<Integer> ends) {
    int to = from;
    while (to < output.length) {
      if (ends.contains(output[to++])) {
        break;
      }
    }
    return Arrays.copyOfRange(output, from, to);
  }

  private static int[] ids(JsonNode node) {
    return JSON.convertValue(node, int[].class);
  }
}
