package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.inference.Predictor;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.TranslateException;
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
