package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.NoopTranslator;
import ai.djl.translate.TranslateException;
import dev.gatun.weights.TensorFile;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Models' arrays in and out, held to what Hugging Face's models give. */
final class BlockTest {
  private static final Map<String, String> OUTPUTS =
      new LinkedHashMap<>(
          Map.of(
              "logits", "out.logits",
              "start_logits", "out.start_logits",
              "end_logits", "out.end_logits"));

  @TempDir private Path folder;

  static Stream<String> encoders() throws IOException {
    try (Stream<Path> folders = Files.list(Models.GOLDENS)) {
      return folders
          .filter(f -> Files.exists(f.resolve("config.json")))
          .filter(f -> Files.exists(f.resolve("expected.safetensors")))
          .map(f -> f.getFileName().toString())
          .filter(name -> name.matches(".*-(qa|mlm|tokens|classify)"))
          .sorted()
          .toList()
          .stream();
    }
  }

  private static ZooModel<NDList, NDList> load(Path path) throws Exception {
    return criteria(path).build().loadModel();
  }

  private static Criteria.Builder<NDList, NDList> criteria(Path path) {
    return Criteria.builder()
        .setTypes(NDList.class, NDList.class)
        .optModelPath(path)
        .optTranslator(new NoopTranslator())
        .optEngine("Gatun");
  }

  @ParameterizedTest
  @MethodSource("encoders")
  void an_encoder_gives_what_transformers_gives(String golden) throws Exception {
    Path path = Models.GOLDENS.resolve(golden);
    Models.givingBack(
        () -> {
          try (TensorFile expected = TensorFile.open(path.resolve("expected.safetensors"));
              ZooModel<NDList, NDList> model = load(path);
              Predictor<NDList, NDList> predictor = model.newPredictor();
              NDManager manager = model.getNDManager().newSubManager()) {
            NDList inputs = new NDList();
            for (String name : List.of("input_ids", "attention_mask", "token_type_ids")) {
              if (expected.names().contains("in." + name)) {
                NDArray array = longs(manager, expected, "in." + name);
                array.setName(name);
                inputs.add(array);
              }
            }
            NDList outputs = predictor.predict(inputs);
            List<String> seen = new ArrayList<>();
            for (NDArray output : outputs) {
              String key = OUTPUTS.get(output.getName());
              if (key != null && expected.names().contains(key)) {
                compare(expected, key, output, inputs.size() > 1 ? inputs.get(1) : null);
                seen.add(key);
              }
            }
            assertTrue(!seen.isEmpty(), "nothing was compared");
          }
        });
  }

  private static NDArray longs(NDManager manager, TensorFile file, String name) {
    TensorFile.Entry entry = file.get(name);
    long[] values = new long[(int) entry.elements()];
    for (int i = 0; i < values.length; i++) {
      values[i] = entry.data().getAtIndex(ValueLayout.JAVA_LONG_UNALIGNED, i);
    }
    return manager.create(values, new Shape(entry.shape()));
  }

  private static void compare(TensorFile file, String key, NDArray got, NDArray mask) {
    TensorFile.Entry entry = file.get(key);
    assertArrayEquals(entry.shape(), got.getShape().getShape(), key);
    float[] values = got.toFloatArray();
    long[] tokens =
        mask != null && got.getShape().dimension() >= 2 && got.size(1) == mask.size(1)
            ? mask.toLongArray()
            : null;
    int each = tokens == null ? 1 : values.length / tokens.length;
    for (int i = 0; i < values.length; i++) {
      if (tokens == null || tokens[i / each] != 0) {
        float want = entry.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
        assertEquals(want, values[i], 1e-4 * Math.max(1, Math.abs(want)), key);
      }
    }
  }

  @Test
  void a_base_model_gives_hidden_states_by_their_name() throws Exception {
    Models.givingBack(
        () -> {
          try (ZooModel<NDList, NDList> model =
                  load(Models.GOLDENS.resolve("sentence-models/base"));
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
          try (ZooModel<NDList, NDList> model = load(Models.GOLDENS.resolve("chat-model"));
              Predictor<NDList, NDList> predictor = model.newPredictor();
              NDManager manager = model.getNDManager().newSubManager()) {
            NDArray logits =
                predictor.predict(new NDList(manager.create(new long[][] {{801, 349}}))).get(0);
            assertEquals("logits", logits.getName());
            assertEquals(2, logits.size(1));
          }
        });
  }

  @Test
  void a_gguf_file_is_a_model() throws Exception {
    Path path = Models.GOLDENS.resolve("chat-model/chat-q8_0.gguf");
    Models.givingBack(
        () -> {
          try (ZooModel<NDList, NDList> model = load(path);
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
          try (ZooModel<NDList, NDList> model = load(path);
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
          assertThrows(FileNotFoundException.class, () -> load(folder));
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
          try (ZooModel<NDList, NDList> model = load(Models.GOLDENS.resolve("bert-classify"));
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
          }
        });
  }
}
