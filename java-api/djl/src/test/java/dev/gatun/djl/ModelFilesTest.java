package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.LayerNorm;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.NoopTranslator;
import ai.djl.translate.TranslateException;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.weights.SafetensorsWriter;
import dev.gatun.weights.TensorFile;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The files that models come in, whole and damaged, and what options of a model do. */
final class ModelFilesTest {
  private static final Path GOLDEN = Models.GOLDENS.resolve("bert-classify");

  @TempDir private Path folder;

  private static float[] logits(Path path, String... options) throws Exception {
    try (ZooModel<NDList, NDList> model = Models.load(path, options);
        Predictor<NDList, NDList> predictor = model.newPredictor();
        NDManager manager = model.getNDManager().newSubManager()) {
      long[][] ids = {{2, 5, 6, 3}, {2, 9, 3, 0}, {2, 11, 12, 3}};
      long[][] mask = {{1, 1, 1, 1}, {1, 1, 1, 0}, {1, 1, 1, 1}};
      return predictor
          .predict(new NDList(manager.create(ids), manager.create(mask)))
          .get(0)
          .toFloatArray();
    }
  }

  private static NDArray create(NDManager manager, long[][] rows) {
    return manager.create(rows);
  }

  /** The golden's weights in files of some tensors each, as another type. */
  private void write(DType dtype, int shards) throws IOException {
    Files.copy(GOLDEN.resolve("config.json"), folder.resolve("config.json"));
    StringBuilder index = new StringBuilder();
    try (TensorFile file = TensorFile.open(GOLDEN);
        Arena arena = Arena.ofConfined()) {
      List<List<TensorFile.Entry>> parts = new ArrayList<>();
      for (int i = 0; i < shards; i++) {
        parts.add(new ArrayList<>());
      }
      int next = 0;
      for (String name : file.names()) {
        int shard = next++ % shards;
        parts.get(shard).add(narrowed(arena, file.get(name), dtype));
        index.append(
            "%s\"%s\": \"model-%d.safetensors\"".formatted(next == 1 ? "" : ", ", name, shard));
      }
      for (int i = 0; i < shards; i++) {
        String name = shards == 1 ? "model.safetensors" : "model-" + i + ".safetensors";
        SafetensorsWriter.write(folder.resolve(name), parts.get(i), Map.of("format", "pt"));
      }
    }
    if (shards > 1) {
      Files.writeString(
          folder.resolve("model.safetensors.index.json"), "{\"weight_map\": {" + index + "}}");
    }
  }

  private static TensorFile.Entry narrowed(Arena arena, TensorFile.Entry entry, DType dtype) {
    if (dtype == DType.F32) {
      return entry;
    }
    MemorySegment data = arena.allocate(2 * entry.elements(), 64);
    for (long i = 0; i < entry.elements(); i++) {
      float value = entry.data().getAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, i);
      int bits = Float.floatToIntBits(value);
      short narrow =
          dtype == DType.F16
              ? Float.floatToFloat16(value)
              : (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
      data.setAtIndex(ValueLayout.JAVA_SHORT, i, narrow);
    }
    return new TensorFile.Entry(entry.name(), dtype, entry.shape(), data, "test");
  }

  @Test
  void shards_are_one_model() throws Exception {
    write(DType.F32, 3);
    Models.givingBack(() -> assertArrayEquals(logits(GOLDEN), logits(folder)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"F16", "BF16"})
  void narrow_weights_are_read(String dtype) throws Exception {
    write(DType.valueOf(dtype), 1);
    Models.givingBack(
        () -> {
          assertArrayEquals(logits(GOLDEN), logits(folder), 0.02f);
          try (ZooModel<NDList, NDList> model = Models.load(folder)) {
            NDArray weight = model.getBlock().getParameters().get("classifier.weight").getArray();
            assertEquals(
                dtype.equals("F16") ? DataType.FLOAT16 : DataType.BFLOAT16, weight.getDataType());
          }
        });
  }

  @Test
  void a_traced_model_is_read_where_its_configuration_is_beside_it() throws Exception {
    Path golden = Models.GOLDENS.resolve("torch");
    Files.copy(golden.resolve("bert.pt"), folder.resolve("all-MiniLM-L6-v2.pt"));
    Models.givingBack(
        () -> {
          assertThrows(FileNotFoundException.class, () -> Models.load(folder));
          Files.copy(golden.resolve("bert.json"), folder.resolve("config.json"));
          try (ZooModel<NDList, NDList> model = Models.load(folder);
              Predictor<NDList, NDList> predictor = model.newPredictor();
              NDManager manager = model.getNDManager().newSubManager()) {
            NDArray ids = create(manager, new long[][] {{1, 2, 3, 4}});
            NDArray states = predictor.predict(new NDList(ids)).get("last_hidden_state");
            // By transformers, as make_torch.py prints.
            assertEquals(-0.43697699904441833f, states.getFloat(0, 0, 0), 1e-5f);
            assertEquals(-0.7730096578598022f, states.getFloat(0, 3, 3), 1e-5f);
            assertEquals(1, model.getArtifactNames().length);
          }
        });
  }

  @Test
  void a_batch_is_computed_in_parts() throws Exception {
    Models.givingBack(
        () -> assertArrayEquals(logits(GOLDEN), logits(GOLDEN, "batchSize=2"), 1e-6f));
  }

  @Test
  void options_are_used_or_refused() throws Exception {
    for (String[] bad :
        new String[][] {
          {"dtype=fp13", "fp13"},
          {"batchSize=0", "batchSize"},
          {"maxLength=long", "maxLength"},
          {"trainParam=perhaps", "trainParam"},
          {"head=tail", "tail"},
          {"quantize=awq", "dtype"},
          {"tensor_parallel_degree=2", "one device"}
        }) {
      IllegalArgumentException refused =
          assertThrows(IllegalArgumentException.class, () -> Models.load(GOLDEN, bad[0]), bad[0]);
      assertTrue(refused.getMessage().contains(bad[1]), refused.getMessage());
    }
    assertThrows(
        IllegalArgumentException.class, () -> Models.load(GOLDEN, "maxLength=4", "max_length=5"));
    assertThrows(MalformedModelException.class, () -> Models.load(GOLDEN.resolve("config.json")));
    Models.givingBack(
        () -> {
          assertArrayEquals(
              logits(GOLDEN),
              logits(GOLDEN, "tensor_parallel_degree=1", "max_length=4", "unheard_of=1"));
          TranslateException tooLong =
              assertThrows(TranslateException.class, () -> logits(GOLDEN, "maxLength=3"));
          assertTrue(tooLong.getMessage().contains("maxLength allows 3"), tooLong.getMessage());
        });
  }

  @Test
  void parameters_of_a_model_to_train_are_its_memory() throws Exception {
    Models.givingBack(
        () -> {
          float[] before = logits(GOLDEN);
          Path saved = folder.resolve("saved");
          try (ZooModel<NDList, NDList> model = Models.load(GOLDEN, "trainParam=true");
              Predictor<NDList, NDList> predictor = model.newPredictor();
              NDManager manager = model.getNDManager().newSubManager()) {
            NDArray ids = create(manager, new long[][] {{2, 5, 6, 3}});
            float[] plain = predictor.predict(new NDList(ids)).get(0).toFloatArray();
            assertArrayEquals(Arrays.copyOf(before, plain.length), plain, 1e-5f);
            model.getBlock().getParameters().get("classifier.bias").getArray().addi(1);
            model.getBlock().getParameters().get("classifier.weight").getArray().muli(2);
            float[] changed = predictor.predict(new NDList(ids)).get(0).toFloatArray();
            NDArray bias = model.getBlock().getParameters().get("classifier.bias").getArray();
            for (int i = 0; i < plain.length; i++) {
              float was = bias.getFloat(i) - 1;
              assertEquals(2 * (plain[i] - was) + was + 1, changed[i], 1e-5);
            }
            model.save(saved, "model");
            assertArrayEquals(changed, Arrays.copyOf(logits(saved), changed.length), 1e-6f);
          }
        });
  }

  private static Block mlp() {
    Block block =
        new SequentialBlock()
            .add(Linear.builder().setUnits(5).build())
            .add(Activation::relu)
            .add(LayerNorm.builder().build())
            .add(Linear.builder().setUnits(2).build());
    block.freezeParameters(true);
    return block;
  }

  @Test
  void parameters_of_blocks_are_saved_and_loaded() throws Exception {
    Models.givingBack(
        () -> {
          NDArray expected;
          try (Model model = Model.newInstance("mlp", "Gatun");
              NDManager manager = NDManager.newBaseManager(null, "Gatun")) {
            Block block = mlp();
            block.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 3));
            model.setBlock(block);
            model.setProperty("Epoch", "7");
            model.save(folder, "mlp");
            expected = run(model, manager);
            try (Model other = Model.newInstance("mlp", "Gatun")) {
              other.setBlock(mlp());
              other.load(folder);
              assertEquals("7", other.getProperty("Epoch"));
              assertEquals(expected, run(other, manager));
            }
          }
        });
  }

  private static NDArray run(Model model, NDManager manager) throws TranslateException {
    try (Predictor<NDList, NDList> predictor = model.newPredictor(new NoopTranslator())) {
      NDArray x = manager.create(new float[][] {{1, -2, 3}, {0.5f, 4, -1}});
      NDArray y = predictor.predict(new NDList(x)).get(0);
      y.attach(manager);
      return y;
    }
  }

  @Test
  void damaged_parameters_are_refused() throws Exception {
    try (Model model = Model.newInstance("mlp", "Gatun")) {
      Block block = mlp();
      block.initialize(model.getNDManager(), DataType.FLOAT32, new Shape(1, 3));
      model.setBlock(block);
      model.save(folder, "mlp");
    }
    Path file = folder.resolve("mlp-0000.params");
    byte[] whole = Files.readAllBytes(file);
    Random random = new Random(1);
    Models.givingBack(
        () -> {
          for (int i = 0; i < 60; i++) {
            byte[] bytes =
                Arrays.copyOf(whole, i % 2 == 0 ? random.nextInt(whole.length) : whole.length);
            if (i % 2 == 1) {
              bytes[random.nextInt(40)] ^= (byte) (1 << random.nextInt(8));
            }
            Files.write(file, bytes);
            try (Model model = Model.newInstance("mlp", "Gatun")) {
              model.setBlock(mlp());
              model.load(folder);
            } catch (MalformedModelException | IOException e) {
              assertTrue(e.getMessage() != null && !e.getMessage().isBlank());
            }
          }
          Files.write(file, Arrays.copyOf(whole, whole.length - 9));
          try (Model model = Model.newInstance("mlp", "Gatun")) {
            model.setBlock(mlp());
            MalformedModelException cut =
                assertThrows(MalformedModelException.class, () -> model.load(folder));
            assertTrue(cut.getMessage().contains("mlp-0000.params"), cut.getMessage());
          }
        });
  }

  @Test
  void missing_files_are_said() throws Exception {
    Models.givingBack(
        () -> {
          try (Model model = Model.newInstance("x", "Gatun")) {
            assertThrows(FileNotFoundException.class, () -> model.load(folder.resolve("nowhere")));
          }
          Files.copy(GOLDEN.resolve("config.json"), folder.resolve("config.json"));
          MalformedModelException none =
              assertThrows(MalformedModelException.class, () -> Models.load(folder));
          assertTrue(none.getMessage().contains("no weights"), none.getMessage());
          byte[] weights = Files.readAllBytes(GOLDEN.resolve("model.safetensors"));
          Files.write(
              folder.resolve("model.safetensors"), Arrays.copyOf(weights, weights.length / 2));
          assertThrows(MalformedModelException.class, () -> Models.load(folder));
        });
  }

  @Test
  void a_closed_model_is_refused() throws Exception {
    Models.givingBack(
        () -> {
          ZooModel<NDList, NDList> model = Models.load(GOLDEN);
          NDArray weight = model.getBlock().getParameters().get("classifier.weight").getArray();
          try (NDManager manager = NDManager.newBaseManager(null, "Gatun")) {
            Predictor<NDList, NDList> predictor = model.newPredictor();
            model.close();
            NDArray ids = create(manager, new long[][] {{2, 5}});
            assertThrows(Exception.class, () -> predictor.predict(new NDList(ids)));
            Block block = model.getBlock();
            var store = new ai.djl.training.ParameterStore(manager, false);
            IllegalStateException closed =
                assertThrows(
                    IllegalStateException.class,
                    () -> block.forward(store, new NDList(ids), false));
            assertTrue(closed.getMessage().contains("closed"), closed.getMessage());
            assertInstanceOf(WeightArray.class, weight);
            assertThrows(IllegalStateException.class, weight::toFloatArray);
          }
        });
  }
}
