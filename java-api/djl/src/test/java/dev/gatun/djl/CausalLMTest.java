package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import ai.djl.inference.Predictor;
import ai.djl.modality.nlp.generate.CausalLMOutput;
import ai.djl.modality.nlp.generate.SearchConfig;
import ai.djl.modality.nlp.generate.TextGenerator;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.NoBatchifyTranslator;
import ai.djl.translate.TranslateException;
import ai.djl.translate.TranslatorContext;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.gatun.models.AutoModel;
import dev.gatun.models.CausalLm;
import dev.gatun.models.CausalLmInputs;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** DJL's searches over a decoder and its cache. */
final class CausalLMTest {
  private static Criteria<NDList, CausalLMOutput> criteria(Path path) {
    return Criteria.builder()
        .setTypes(NDList.class, CausalLMOutput.class)
        .optModelPath(path)
        .optEngine("Gatun")
        .optTranslatorFactory(new CausalLMTranslatorFactory())
        .build();
  }

  private static SearchConfig config(int length) {
    SearchConfig config = new SearchConfig();
    config.setMaxSeqLength(length);
    config.setPadTokenId(0);
    config.setBeam(3);
    return config;
  }

  private static long[][] rows(JsonNode node) {
    long[][] rows = new long[node.size()][];
    for (int i = 0; i < rows.length; i++) {
      rows[i] = new ObjectMapper().convertValue(node.get(i), long[].class);
    }
    return rows;
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama-gqa", "gpt2"})
  void greedy_search_finds_what_transformers_finds(String golden) throws Exception {
    Path path = Models.GOLDENS.resolve("decoders/" + golden);
    JsonNode greedy =
        new ObjectMapper().readTree(path.resolve("case.json").toFile()).get("generations").get(0);
    long[][] expected = rows(greedy.get("output"));
    long[][] prompt = rows(greedy.get("prompt"));
    Models.givingBack(
        () -> {
          try (ZooModel<NDList, CausalLMOutput> model = criteria(path).loadModel();
              Predictor<NDList, CausalLMOutput> predictor = model.newPredictor();
              NDManager manager = model.getNDManager().newSubManager()) {
            int length = expected[0].length;
            NDArray ids =
                new TextGenerator(predictor, "greedy", config(length))
                    .generate(manager.create(prompt));
            for (int i = 0; i < prompt.length; i++) {
              assertArrayEquals(expected[i], ids.get(i).toLongArray());
            }
          }
        });
  }

  /** Computes all tokens again in each call; the past is their ids. */
  private record Whole(CausalLm model) implements NoBatchifyTranslator<NDList, CausalLMOutput> {
    @Override
    public NDList processInput(TranslatorContext ctx, NDList input) {
      ctx.setAttachment("input", input);
      return new NDList();
    }

    @Override
    public CausalLMOutput processOutput(TranslatorContext ctx, NDList list) {
      NDList input = (NDList) ctx.getAttachment("input");
      NDArray fresh = input.get(0);
      NDManager manager = fresh.getManager();
      int batch = (int) fresh.size(0);
      int length = (int) fresh.size(1);
      NDArray past = input.size() > 3 ? input.get(3) : null;
      int before = past == null ? 0 : (int) past.size(2);
      NDArray all =
          past == null
              ? fresh
              : past.toType(DataType.INT64, false).reshape(batch, before).concat(fresh, 1);
      long[][] ids = BlockInputs.split(all, batch, before + length);
      long[][] mask = BlockInputs.split(input.get(2), batch, before + length);
      try (var output = model.forward(new CausalLmInputs(ids, mask, null, true, false))) {
        return new CausalLMOutput(
            last(manager, output.logits(), before),
            last(manager, output.hiddenStates().getLast(), before),
            new NDList(all.toType(DataType.FLOAT32, false).reshape(batch, 1, before + length, 1)));
      }
    }

    private static NDArray last(NDManager manager, dev.gatun.tensor.Tensor tensor, int before) {
      return manager
          .create(tensor.toFloatArray(), new Shape(tensor.shape()))
          .get(":, {}:, :", before);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "greedy, llama-gqa",
    "beam, llama-gqa",
    "contrastive, llama-gqa",
    "beam, mistral-awq",
    "contrastive, starcoder2-window"
  })
  void a_search_finds_the_same_without_a_cache(String search, String golden) throws Exception {
    Path path = Models.GOLDENS.resolve("decoders/" + golden);
    Models.givingBack(
        () -> {
          try (ZooModel<NDList, CausalLMOutput> model = criteria(path).loadModel();
              Predictor<NDList, CausalLMOutput> predictor = model.newPredictor();
              CausalLm whole = AutoModel.loadCausalLm(path);
              Predictor<NDList, CausalLMOutput> plain = model.newPredictor(new Whole(whole));
              NDManager manager = model.getNDManager().newSubManager()) {
            long[][] prompt = {{0, 0, 90, 49, 18}, {70, 97, 13, 84, 5}};
            long[] got =
                new TextGenerator(predictor, search, config(14))
                    .generate(manager.create(prompt))
                    .toLongArray();
            long[] want =
                new TextGenerator(plain, search, config(14))
                    .generate(manager.create(prompt))
                    .toLongArray();
            assertEquals(Arrays.toString(want), Arrays.toString(got));
          }
        });
  }

  @Test
  void what_does_not_go_together_is_refused() throws Exception {
    Models.givingBack(
        () -> {
          try (ZooModel<NDList, CausalLMOutput> model =
                  criteria(Models.GOLDENS.resolve("decoders/llama-gqa")).loadModel();
              Predictor<NDList, CausalLMOutput> predictor = model.newPredictor();
              NDManager manager = model.getNDManager().newSubManager()) {
            NDArray ids = manager.create(new long[][] {{5, 6}});
            NDArray three = manager.create(new long[][] {{1, 1, 1}});
            NDArray far = manager.create(new long[][] {{5, 60_000}});
            NDArray two = manager.create(new long[][] {{1, 1}});
            assertThrows(TranslateException.class, () -> predictor.predict(new NDList(ids)));
            assertThrows(
                TranslateException.class, () -> predictor.predict(new NDList(ids, ids, three)));
            assertThrows(
                TranslateException.class, () -> predictor.predict(new NDList(far, ids, two)));
            assertThrows(
                TranslateException.class, () -> predictor.predict(new NDList(ids, ids, two, ids)));
          }
        });
  }
}
