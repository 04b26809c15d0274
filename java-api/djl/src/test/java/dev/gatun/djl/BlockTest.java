package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.MalformedModelException;
import ai.djl.engine.Engine;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.TranslateException;
import java.io.FileNotFoundException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models' arrays in and out, held to what Hugging Face's models give. */
final class BlockTest {
  @TempDir private Path folder;

  @Test
  void a_base_model_gives_hidden_states_by_their_name() throws Exception {
    Models.givingBack(
        () -> {
          try (ZooModel<NDList, NDList> model =
                  Models.load(Models.GOLDENS.resolve("sentence-models/base"));
              Predictor<NDList, NDList> predictor = model.newPredictor();
              NDManager manager = model.getNDManager().newSubManager()) {
            NDList outputs =
                predictor.predict(new NDList(manager.create(new long[][] {{2, 5, 6, 3}})));
            assertEquals(new Shape(1, 4, 8), outputs.get("last_hidden_state").getShape());
            assertEquals(new Shape(1, 8), outputs.get("pooler_output").getShape());
            NDList narrow =
                predictor.predict(new NDList(manager.create(new int[][] {{2, 5, 6, 3}})));
            assertEquals(outputs.get(0), narrow.get(0));
          }
        });
  }

  @Test
  void a_decoder_gives_logits() throws Exception {
    Models.givingBack(
        () -> {
          try (ZooModel<NDList, NDList> model = Models.load(Models.GOLDENS.resolve("chat-model"));
              Predictor<NDList, NDList> predictor = model.newPredictor();
              NDManager manager = model.getNDManager().newSubManager()) {
            NDArray logits =
                predictor.predict(new NDList(manager.create(new long[][] {{801, 349}}))).get(0);
            assertEquals("logits", logits.getName());
            assertEquals(2, logits.size(1));
          }
        });
  }

  /** One that lies as sentence-transformers has it, and one with the head that is asked for. */
  @Test
  void a_decoder_that_reads_gives_hidden_states() throws Exception {
    Models.givingBack(
        () -> {
          Path sentences = Models.GOLDENS.resolve("sentence-models/sentence-gemma3");
          try (ZooModel<NDList, NDList> model = Models.load(sentences);
              Predictor<NDList, NDList> predictor = model.newPredictor();
              NDManager manager = model.getNDManager().newSubManager()) {
            NDList outputs =
                predictor.predict(new NDList(manager.create(new long[][] {{2, 5, 6, 3}})));
            assertEquals(new Shape(1, 4, 8), outputs.get("last_hidden_state").getShape());
          }
          Path writer = Models.GOLDENS.resolve("chat-model");
          try (ZooModel<NDList, NDList> model = Models.load(writer, "head=base");
              Predictor<NDList, NDList> predictor = model.newPredictor();
              NDManager manager = model.getNDManager().newSubManager()) {
            NDList outputs =
                predictor.predict(new NDList(manager.create(new long[][] {{801, 349}})));
            assertEquals(2, outputs.get("last_hidden_state").size(1));
          }
        });
  }

  @Test
  void a_gguf_file_is_a_model() throws Exception {
    Path path = Models.GOLDENS.resolve("chat-model/chat-q8_0.gguf");
    Models.givingBack(
        () -> {
          try (ZooModel<NDList, NDList> model = Models.load(path);
              Predictor<NDList, NDList> predictor = model.newPredictor();
              NDManager manager = model.getNDManager().newSubManager()) {
            NDList outputs = predictor.predict(new NDList(manager.create(new long[][] {{801}})));
            assertEquals(1, outputs.get(0).size(1));
          }
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"fp32", "bf16", "fp16", "int8"})
  void weights_are_kept_as_the_option_says(String dtype) throws Exception {
    Path path = Models.with(folder, "bert-classify");
    Files.writeString(path.resolve("serving.properties"), "option.dtype=" + dtype + "\n");
    Models.givingBack(
        () -> {
          try (ZooModel<NDList, NDList> model = Models.load(path);
              Predictor<NDList, NDList> predictor = model.newPredictor();
              NDManager manager = model.getNDManager().newSubManager()) {
            GatunSymbolBlock block = (GatunSymbolBlock) model.getBlock();
            assertEquals(ModelOptions.of(Map.of("dtype", dtype)), block.options());
            NDList outputs = predictor.predict(new NDList(manager.create(new long[][] {{2, 3}})));
            assertEquals(new Shape(1, 3), outputs.get(0).getShape());
          }
        });
  }

  @Test
  void what_is_wrong_is_said() throws Exception {
    Models.givingBack(
        () -> {
          assertThrows(FileNotFoundException.class, () -> Models.load(folder));
          Files.writeString(folder.resolve("config.json"), "{\"model_type\": \"unheard-of\"}");
          MalformedModelException unknown =
              assertThrows(
                  MalformedModelException.class,
                  () -> {
                    try (var model = Engine.getEngine("Gatun").newModel("x", null)) {
                      model.load(folder);
                    }
                  });
          assertTrue(unknown.getMessage().contains("unheard-of"), unknown.getMessage());
          try (ZooModel<NDList, NDList> model =
                  Models.load(Models.GOLDENS.resolve("bert-classify"));
              Predictor<NDList, NDList> predictor = model.newPredictor();
              NDManager manager = model.getNDManager().newSubManager()) {
            for (NDArray bad :
                List.of(
                    manager.create(new long[] {1, 2}),
                    manager.create(new float[][] {{1, 2}}),
                    manager.create(new long[][] {{1, 1000}}))) {
              TranslateException refused =
                  assertThrows(TranslateException.class, () -> predictor.predict(new NDList(bad)));
              assertTrue(refused.getMessage().contains("input_ids"), refused.getMessage());
            }
            assertThrows(
                TranslateException.class,
                () ->
                    predictor.predict(
                        new NDList(
                            manager.zeros(new Shape(1, 2), DataType.INT64),
                            manager.ones(new Shape(1, 3), DataType.INT64))));
            // What another model takes is not taken for a mask.
            NDArray places = manager.ones(new Shape(1, 2), DataType.INT64);
            NDList others = new NDList(manager.zeros(new Shape(1, 2), DataType.INT64), places);
            places.setName("position_ids");
            assertThrows(TranslateException.class, () -> predictor.predict(others));
          }
        });
  }
}
