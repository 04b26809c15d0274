package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.djl.inference.Predictor;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.TranslateException;
import dev.gatun.generation.GenerationConfig;
import dev.gatun.generation.TextGenerator;
import java.nio.file.Path;
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
