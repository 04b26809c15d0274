package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.inference.Predictor;
import ai.djl.modality.Input;
import ai.djl.modality.Output;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.TranslateException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.TextGenerator;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Text by a predictor: what the library's generator writes. */
final class TextGenerationTest {
  private static final Path MODEL = Models.GOLDENS.resolve("chat-model");

  private static Criteria<String, String> criteria(Path path) {
    return Criteria.builder()
        .setTypes(String.class, String.class)
        .optModelPath(path)
        .optEngine("Gatun")
        .optTranslatorFactory(new TextGenerationTranslatorFactory())
        .optArgument("maxNewTokens", "12")
        .build();
  }

  @Test
  void a_prompt_is_written_on() throws Exception {
    List<String> prompts = List.of("Where is the canal?", "Hello!");
    Models.givingBack(
        () -> {
          try (ZooModel<String, String> model = criteria(MODEL).loadModel();
              Predictor<String, String> predictor = model.newPredictor();
              TextGenerator direct = TextGenerator.load(MODEL)) {
            GenerationConfig config =
                direct.defaults().config().toBuilder().maxNewTokens(12).build();
            List<String> batch = predictor.batchPredict(prompts);
            for (int i = 0; i < prompts.size(); i++) {
              assertEquals(direct.generate(prompts.get(i), config).text(), batch.get(i));
            }
            assertEquals(batch.getFirst(), predictor.predict(prompts.getFirst()));
          }
        });
  }

  @Test
  @SuppressWarnings("rawtypes")
  void a_text_comes_in_pieces() throws Exception {
    Models.givingBack(
        () -> {
          try (ZooModel<String, Iterator> model =
                  Criteria.builder()
                      .setTypes(String.class, Iterator.class)
                      .optModelPath(MODEL)
                      .optEngine("Gatun")
                      .optTranslatorFactory(new TextGenerationTranslatorFactory())
                      .optArgument("maxNewTokens", "12")
                      .build()
                      .loadModel();
              Predictor<String, Iterator> predictor = model.newPredictor();
              TextGenerator direct = TextGenerator.load(MODEL)) {
            GenerationConfig config =
                direct.defaults().config().toBuilder().maxNewTokens(12).build();
            String expected = direct.generate("Where is the canal?", config).text();
            assertTrue(predictor.supportsStreaming());
            var iterative = predictor.streamingPredict("Where is the canal?");
            assertEquals(expected, joined(iterative.getIterativeOutput(), 2));
            var async = predictor.streamingPredict("Where is the canal?");
            Iterator<?> pieces = async.getAsyncOutput();
            Thread.ofVirtual().start(async::computeAsyncOutput);
            assertEquals(expected, joined(pieces, 2));
            assertEquals(expected, joined(predictor.predict("Where is the canal?"), 2));
          }
        });
  }

  private static String joined(Iterator<?> pieces, int atLeast) {
    List<String> all = new ArrayList<>();
    pieces.forEachRemaining(piece -> all.add((String) piece));
    assertTrue(all.size() >= atLeast, all::toString);
    return String.join("", all);
  }

  @Test
  void no_more_is_written_than_the_option_allows() throws Exception {
    Models.givingBack(
        () -> {
          try (ZooModel<String, String> model =
                  Criteria.builder()
                      .setTypes(String.class, String.class)
                      .optModelPath(MODEL)
                      .optEngine("Gatun")
                      .optOption("maxLength", "12")
                      .optTranslatorFactory(new TextGenerationTranslatorFactory())
                      .build()
                      .loadModel();
              Predictor<String, String> predictor = model.newPredictor();
              TextGenerator direct = TextGenerator.load(MODEL)) {
            int read = direct.tokenizer().orElseThrow().encode("Hello!").length();
            GenerationConfig config =
                direct.defaults().config().toBuilder().maxNewTokens(12 - read).build();
            assertEquals(direct.generate("Hello!", config).text(), predictor.predict("Hello!"));
            assertThrows(
                TranslateException.class,
                () -> predictor.predict("Where is the canal? ".repeat(9)));
          }
        });
  }

  private static Input request(String json) {
    Input input = new Input();
    input.addProperty("Content-Type", "application/json; charset=utf-8");
    input.add("data", json);
    return input;
  }

  private static JsonNode body(Output output) throws Exception {
    assertEquals("application/json", output.getProperty("Content-Type", null));
    return new ObjectMapper().readTree(output.getData().getAsString());
  }

  @Test
  void requests_of_a_server_are_answered() throws Exception {
    Models.givingBack(
        () -> {
          try (ZooModel<Input, Output> model =
                  Criteria.builder()
                      .setTypes(Input.class, Output.class)
                      .optModelPath(MODEL)
                      .optEngine("Gatun")
                      .optTranslatorFactory(new TextGenerationTranslatorFactory())
                      .optArgument("maxNewTokens", "12")
                      .build()
                      .loadModel();
              Predictor<Input, Output> predictor = model.newPredictor();
              TextGenerator direct = TextGenerator.load(MODEL)) {
            GenerationConfig config =
                direct.defaults().config().toBuilder().maxNewTokens(12).build();
            GenerationConfig drawn =
                config.toBuilder()
                    .maxNewTokens(5)
                    .doSample(true)
                    .temperature(1.5f)
                    .topK(20)
                    .topP(0.9f)
                    .seed(11)
                    .build();
            String hello = direct.generate("Hello!", config).text();
            String canal = direct.generate("Where is the canal?", config).text();
            String drawing = direct.generate("Hello!", drawn).text();
            assertNotEquals(hello, drawing);
            Input plain = new Input();
            plain.add("Hello!");
            Input both = request("[\"Where is the canal?\", \"Hello!\"]");
            Input draw =
                request(
                    "{\"inputs\": \"Hello!\", \"parameters\": {\"max_new_tokens\": 5, "
                        + "\"temperature\": 1.5, \"top_k\": 20, \"top_p\": 0.9, \"seed\": 11}}");
            assertEquals(hello, body(predictor.predict(plain)).get("generated_text").asText());
            List<Output> server = predictor.batchPredict(List.of(draw, both, plain));
            assertEquals(drawing, body(server.get(0)).get("generated_text").asText());
            assertEquals(2, body(server.get(1)).size());
            assertEquals(canal, body(server.get(1)).get(0).get("generated_text").asText());
            assertEquals(hello, body(server.get(1)).get(1).get("generated_text").asText());
            assertEquals(hello, body(server.get(2)).get("generated_text").asText());
            for (String[] bad :
                new String[][] {
                  {"{\"inputs\": \"a\", \"parameters\": {\"best_of\": 2}}", "best_of"},
                  {"{\"inputs\": \"a\", \"parameters\": {\"top_k\": \"x\"}}", "topK"},
                  {"{\"inputs\": \"a\", \"parameters\": 3}", "expected an object"},
                  {"{\"texts\": \"a\"}", "inputs"},
                  {"{\"inputs\"", "json"}
                }) {
              TranslateException refused =
                  assertThrows(
                      TranslateException.class,
                      () -> predictor.batchPredict(List.of(plain, request(bad[0]))),
                      bad[0]);
              assertTrue(refused.toString().contains(bad[1]), refused::toString);
            }
            assertThrows(TranslateException.class, () -> predictor.predict(new Input()));
          }
        });
  }

  @Test
  void an_encoder_writes_no_text() throws Exception {
    Models.givingBack(
        () -> {
          try (ZooModel<String, String> model =
                  criteria(Models.GOLDENS.resolve("bert-classify")).loadModel();
              Predictor<String, String> predictor = model.newPredictor()) {
            assertThrows(TranslateException.class, () -> predictor.predict("Hello!"));
          }
        });
  }
}
