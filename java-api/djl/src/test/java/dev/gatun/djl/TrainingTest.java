package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.Model;
import ai.djl.engine.Engine;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.transformer.BertBlock;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.EasyTrain;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.dataset.ArrayDataset;
import ai.djl.training.dataset.Batch;
import ai.djl.training.listener.TrainingListener;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import ai.djl.translate.Batchifier;
import dev.gatun.djl.TrainingPrograms.LossProgram;
import dev.gatun.djl.TrainingPrograms.Training;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Collectors of gradients, and training: DJL's blocks, losses and optimizers on both engines. */
final class TrainingTest {
  private static final Engine OWN = Engine.getEngine("Gatun");

  private static void with(OwnMethodsTest.Asserts asserts) throws Exception {
    Models.givingBack(
        () -> {
          try (NDManager manager = OWN.newBaseManager()) {
            asserts.run(manager);
          }
        });
  }

  private static void requirePeer() {
    assumeTrue(
        System.getProperty("os.name").equals("Linux")
            && System.getProperty("os.arch").equals("amd64"),
        "the peer's native library is Linux's on x86-64");
  }

  private static NDArray leaf(NDManager manager, float... numbers) {
    NDArray x = manager.create(numbers);
    x.setRequiresGradient(true);
    return x;
  }

  @Test
  void gradients_survive_the_collector_and_a_new_one_starts_clean() throws Exception {
    with(
        m -> {
          NDArray x = leaf(m, 1, 2);
          assertTrue(x.hasGradient());
          assertArrayEquals(new float[2], x.getGradient().toFloatArray());
          for (int round = 0; round < 2; round++) {
            try (GradientCollector collector = OWN.newGradientCollector()) {
              assertArrayEquals(new float[2], x.getGradient().toFloatArray());
              for (int i = 1; i <= 2; i++) {
                collector.backward(x.square());
                assertArrayEquals(new float[] {2 * i, 4 * i}, x.getGradient().toFloatArray());
              }
            }
            assertArrayEquals(new float[] {4, 8}, x.getGradient().toFloatArray());
          }
          try (GradientCollector collector = OWN.newGradientCollector()) {
            collector.backward(x.square());
            collector.zeroGradients();
            assertArrayEquals(new float[2], x.getGradient().toFloatArray());
          }
          x.setRequiresGradient(false);
          assertFalse(x.hasGradient());
          assertThrows(IllegalStateException.class, x::getGradient);
        });
  }

  @Test
  void a_step_uses_the_gradient_up() throws Exception {
    with(
        m -> {
          Optimizer sgd = Optimizer.sgd().setLearningRateTracker(Tracker.fixed(0.5f)).build();
          NDArray x = leaf(m, 1, 2);
          try (GradientCollector collector = OWN.newGradientCollector()) {
            collector.backward(x.mul(3));
            // Not an operation whose gradient is asked for.
            sgd.update("x", x, x.getGradient());
            assertArrayEquals(new float[] {-0.5f, 0.5f}, x.toFloatArray());
            assertArrayEquals(new float[2], x.getGradient().toFloatArray());
            collector.backward(x.mul(2));
            assertArrayEquals(new float[] {2, 2}, x.getGradient().toFloatArray());
          }
        });
  }

  @Test
  void each_thread_has_a_collector_of_its_own() throws Exception {
    with(
        m -> {
          try (GradientCollector _ = OWN.newGradientCollector()) {
            assertThrows(IllegalStateException.class, OWN::newGradientCollector);
          }
        });
    int threads = 4;
    Models.givingBack(
        () -> {
          try (NDManager shared = OWN.newBaseManager();
              ExecutorService pool = Executors.newFixedThreadPool(threads)) {
            NDArray all = leaf(shared, 3);
            List<Future<float[]>> futures = new ArrayList<>();
            for (int thread = 0; thread < threads; thread++) {
              float factor = thread + 1;
              futures.add(
                  pool.submit(
                      () -> {
                        float[] gradient = null;
                        for (int i = 0; i < 200; i++) {
                          try (NDManager m = OWN.newBaseManager();
                              GradientCollector collector = OWN.newGradientCollector()) {
                            NDArray x = leaf(m, factor, 2);
                            NDArray y = x.square().mul(all.stopGradient());
                            collector.backward(y);
                            gradient = x.getGradient().toFloatArray();
                            assertArrayEquals(new float[] {6 * factor, 12}, gradient);
                          }
                        }
                        return gradient;
                      }));
            }
            for (int thread = 0; thread < threads; thread++) {
              assertEquals(6f * (thread + 1), futures.get(thread).get()[0]);
            }
          }
        });
  }

  @Test
  void what_a_gradient_needs_may_not_be_written_over() throws Exception {
    with(
        m -> {
          NDArray x = leaf(m, 1, 2);
          try (GradientCollector collector = OWN.newGradientCollector()) {
            assertThrows(EngineException.class, () -> x.addi(1));
            NDArray y = x.mul(2);
            NDArray z = y.square();
            y.set(new float[] {7, 7});
            EngineException refused =
                assertThrows(EngineException.class, () -> collector.backward(z));
            assertTrue(refused.getMessage().contains("square"), refused.getMessage());
            assertThrows(EngineException.class, () -> collector.backward(m.ones(new Shape(2))));
          }
          x.addi(1);
          assertArrayEquals(new float[] {2, 3}, x.toFloatArray());
          assertThrows(
              EngineException.class,
              () -> m.ones(new Shape(2), DataType.INT32).setRequiresGradient(true));
        });
  }

  /** Steps of a training: all parameters' gradients of the first and numbers after the last. */
  private static List<float[]> trained(String engine, Training training, Optimizer optimizer) {
    List<float[]> results = new ArrayList<>();
    try (Model model = Model.newInstance("trained", engine)) {
      Block block = training.block().get();
      model.setBlock(block);
      DefaultTrainingConfig config =
          new DefaultTrainingConfig(training.loss().get())
              .optOptimizer(optimizer)
              .optInitializer(TrainingPrograms.initializer(), parameter -> true);
      try (Trainer trainer = model.newTrainer(config);
          NDManager manager = trainer.getManager().newSubManager()) {
        NDList data = training.data().apply(manager);
        trainer.initialize(data.getShapes());
        for (int step = 0; step < 3; step++) {
          try (GradientCollector collector = trainer.newGradientCollector()) {
            NDList given = trainer.forward(data);
            NDArray loss = trainer.getLoss().evaluate(training.labels().apply(manager), given);
            collector.backward(loss);
            results.add(loss.toFloatArray());
          }
          for (Parameter parameter : block.getParameters().values()) {
            if (step == 0 && parameter.requiresGradient()) {
              results.add(parameter.getArray().getGradient().toFloatArray());
            }
          }
          trainer.step();
        }
        block.getParameters().values().forEach(p -> results.add(p.getArray().toFloatArray()));
      }
    }
    return results;
  }

  private static void same(List<float[]> expected, List<float[]> got, float allowed) {
    assertEquals(expected.size(), got.size());
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), got.get(i), allowed, "array " + i);
    }
  }

  static Stream<Training> trainings() {
    return TrainingPrograms.all().stream();
  }

  @ParameterizedTest
  @MethodSource("trainings")
  void blocks_train_as_on_pytorch(Training training) throws Exception {
    requirePeer();
    Tracker rate = Tracker.fixed(0.05f);
    List<Supplier<Optimizer>> optimizers =
        List.of(
            () -> Optimizer.sgd().setLearningRateTracker(rate).optMomentum(0.9f).build(),
            () ->
                Optimizer.adam()
                    .optLearningRateTracker(rate)
                    .optWeightDecays(0.01f)
                    .optEpsilon(1e-3f)
                    .build(),
            () ->
                Optimizer.adamW()
                    .optLearningRateTracker(rate)
                    .optWeightDecays(0.1f)
                    .optEpsilon(1e-3f)
                    .build());
    Models.givingBackInTheEnd(
        () -> {
          for (Supplier<Optimizer> optimizer : optimizers) {
            List<float[]> expected = trained("PyTorch", training, optimizer.get());
            same(expected, trained("Gatun", training, optimizer.get()), 2e-4f);
          }
        });
  }

  static Stream<LossProgram> losses() {
    return TrainingPrograms.losses().stream();
  }

  private static List<float[]> loss(String name, LossProgram program) {
    Engine engine = Engine.getEngine(name);
    try (NDManager m = engine.newBaseManager();
        GradientCollector collector = engine.newGradientCollector()) {
      NDArray x = TrainingPrograms.floats(m, 1, program.shape());
      x.setRequiresGradient(true);
      Loss loss = program.loss().get();
      NDArray value = loss.evaluate(program.labels().apply(m), new NDList(x.mul(2)));
      collector.backward(value);
      return List.of(value.toFloatArray(), x.getGradient().toFloatArray());
    }
  }

  @ParameterizedTest
  @MethodSource("losses")
  void losses_have_pytorchs_gradients(LossProgram program) throws Exception {
    requirePeer();
    Models.givingBack(() -> same(loss("PyTorch", program), loss("Gatun", program), 1e-6f));
  }

  @Test
  void a_masked_loss_has_gradients_where_the_sequence_is() throws Exception {
    with(
        m -> {
          NDArray x = m.create(new float[] {0, (float) Math.log(3), 5, 7}, new Shape(1, 2, 2));
          x.setRequiresGradient(true);
          NDList labels =
              new NDList(m.create(new float[] {0, 1}, new Shape(1, 2)), m.create(new float[] {1}));
          try (GradientCollector collector = OWN.newGradientCollector()) {
            NDArray loss = Loss.maskedSoftmaxCrossEntropyLoss().evaluate(labels, new NDList(x));
            collector.backward(loss);
          }
          // (softmax - one hot) / 2 of the first place, whose probabilities are 1/4 and 3/4
          assertArrayEquals(
              new float[] {-0.375f, 0.375f, 0, 0}, x.getGradient().toFloatArray(), 1e-6f);
        });
  }

  @Test
  void gradients_are_clipped_on_both_sides() throws Exception {
    with(
        m -> {
          NDArray w = leaf(m, 1, 1);
          try (GradientCollector collector = OWN.newGradientCollector()) {
            collector.backward(w.mul(m.create(new float[] {5, -5})));
          }
          Optimizer optimizer =
              Optimizer.sgd().setLearningRateTracker(Tracker.fixed(1)).optClipGrad(0.5f).build();
          optimizer.update("w", w, w.getGradient());
          assertArrayEquals(new float[] {0.5f, 1.5f}, w.toFloatArray());
        });
  }

  @Test
  void decays_have_gradients() throws Exception {
    with(
        m -> {
          NDArray w = leaf(m, -2, 3);
          Loss decay = Loss.elasticNetWeightedDecay("decay", 0.5f, 0.25f, new NDList(w));
          try (GradientCollector collector = OWN.newGradientCollector()) {
            collector.backward(decay.evaluate(new NDList(), new NDList()));
          }
          // 0.5 |w| + 0.25 w²
          assertArrayEquals(new float[] {-1.5f, 2}, w.getGradient().toFloatArray(), 1e-6f);
        });
  }

  @SuppressWarnings("try") // its manager is closed ahead of its block
  private static List<float[]> bert(String name) {
    Engine engine = Engine.getEngine(name);
    try (NDManager m = engine.newBaseManager()) {
      BertBlock bert =
          BertBlock.builder().nano().setTokenDictionarySize(31).optMaxSequenceLength(4).build();
      bert.setInitializer(TrainingPrograms.initializer(), parameter -> true);
      NDArray ids = m.create(new int[] {3, 1, 30, 7, 7, 2, 9, 0}, new Shape(2, 4));
      NDArray types = m.create(new int[] {0, 0, 1, 1, 0, 0, 0, 0}, new Shape(2, 4));
      NDArray mask = m.create(new int[] {1, 1, 1, 1, 1, 1, 1, 0}, new Shape(2, 4));
      NDList inputs = new NDList(ids, types, mask);
      bert.initialize(m, DataType.FLOAT32, inputs.getShapes());
      List<float[]> results = new ArrayList<>();
      try (GradientCollector collector = engine.newGradientCollector()) {
        // Without dropout, whose draws differ.
        NDList given = bert.forward(new ParameterStore(m, false), inputs, false);
        NDArray loss = given.get(0).square().mean().add(given.get(1).sin().sum());
        collector.backward(loss);
        results.add(loss.toFloatArray());
      }
      for (Parameter parameter : bert.getParameters().values()) {
        if (parameter.requiresGradient()) {
          results.add(parameter.getArray().getGradient().toFloatArray());
        }
      }
      m.close();
      bert.clear();
      return results;
    }
  }

  @Test
  void bert_has_pytorchs_gradients() throws Exception {
    requirePeer();
    Models.givingBack(() -> same(bert("PyTorch"), bert("Gatun"), 5e-5f));
  }

  @Test
  void a_line_is_fitted_by_easy_train() throws Exception {
    with(
        m -> {
          NDArray x = m.randomNormal(new Shape(400, 2));
          NDArray y = x.matMul(m.create(new float[] {2, -3.4f}, new Shape(2, 1))).add(4.2f);
          ArrayDataset dataset =
              new ArrayDataset.Builder().setData(x).optLabels(y).setSampling(20, true).build();
          try (Model model = Model.newInstance("line", "Gatun")) {
            model.setBlock(ai.djl.nn.core.Linear.builder().setUnits(1).build());
            DefaultTrainingConfig config =
                new DefaultTrainingConfig(Loss.l2Loss())
                    .optOptimizer(
                        Optimizer.sgd().setLearningRateTracker(Tracker.fixed(0.1f)).build())
                    .addTrainingListeners(TrainingListener.Defaults.basic());
            try (Trainer trainer = model.newTrainer(config)) {
              trainer.initialize(new Shape(20, 2));
              EasyTrain.fit(trainer, 5, dataset, null);
            }
            float[] weight =
                model.getBlock().getParameters().get(0).getValue().getArray().toFloatArray();
            assertArrayEquals(new float[] {2, -3.4f}, weight, 0.01f);
          } catch (Exception e) {
            throw new AssertionError(e);
          }
        });
  }

  @Test
  void a_batch_is_closed_with_all_that_it_made() throws Exception {
    Models.givingBackInTheEnd(
        () -> {
          try (Model model = Model.newInstance("one", "Gatun")) {
            model.setBlock(TrainingPrograms.all().get(0).block().get());
            try (Trainer trainer =
                model.newTrainer(new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss()))) {
              trainer.initialize(new Shape(4, 5));
              long[] held = new long[4];
              for (int i = 0; i < held.length; i++) {
                NDManager scratch = trainer.getManager().newSubManager();
                NDList data = TrainingPrograms.all().get(0).data().apply(scratch);
                NDList labels = TrainingPrograms.all().get(0).labels().apply(scratch);
                try (Batch batch =
                    new Batch(scratch, data, labels, 4, Batchifier.STACK, Batchifier.STACK, i, 4)) {
                  EasyTrain.trainBatch(trainer, batch);
                  trainer.step();
                }
                held[i] = dev.gatun.tensor.Device.cpu().memory().allocatedBytes();
              }
              assertEquals(held[2], held[3], "a step more holds nothing more");
            }
          }
        });
  }
}
