package dev.gatun.djl;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.engine.Engine;
import ai.djl.inference.Predictor;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Parameter;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import dev.gatun.weights.TensorFile;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Models of files as DJL trains blocks. */
final class FileTrainingTest {
  private static final Path GOLDEN = Models.GOLDENS.resolve("bert-classify");

  @TempDir private Path folder;

  /** The gradients that Hugging Face's models have, by a loss of DJL's operations. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "bert-classify",
        "bert-tokens",
        "bert-mlm",
        "deberta-v2-mlm",
        "roberta-mlm",
        "decoders/gpt2",
        "decoders/llama",
        "decoders/bloom",
        "encoder-decoders/bart",
        "encoder-decoders/t5"
      })
  void gradients_are_those_of_transformers(String golden) throws Exception {
    Path path = Models.GOLDENS.resolve(golden);
    Models.givingBack(
        () -> {
          try (TensorFile expected = TensorFile.open(path.resolve("expected.safetensors"));
              TensorFile gradients = TensorFile.open(path.resolve("gradients.safetensors"));
              ZooModel<NDList, NDList> model =
                  Models.load(path, "trainParam=true", "dropout=false");
              NDManager manager = model.getNDManager().newSubManager()) {
            model.getBlock().freezeParameters(false);
            NDList inputs = FamiliesTest.inputs(manager, path, expected);
            try (GradientCollector collector = Engine.getEngine("Gatun").newGradientCollector()) {
              ParameterStore store = new ParameterStore(manager, false);
              NDList outputs = model.getBlock().forward(store, inputs, true);
              NDArray loss = loss(manager, golden, expected, outputs);
              float want = expected.get("out.loss").data().get(ValueLayout.JAVA_FLOAT_UNALIGNED, 0);
              assertEquals(want, loss.getFloat(), 1e-5 * Math.max(1, want), "loss");
              collector.backward(loss);
            }
            List<String> wrong = new ArrayList<>();
            for (String name : gradients.names()) {
              Parameter parameter = model.getBlock().getParameters().get(name);
              try (NDArray gradient = parameter.getArray().getGradient()) {
                compare(name, gradients.get(name), gradient.toFloatArray(), wrong);
              }
            }
            assertEquals(List.of(), wrong);
          }
        });
  }

  private static void compare(
      String name, TensorFile.Entry entry, float[] got, List<String> wrong) {
    float[] want = entry.data().toArray(ValueLayout.JAVA_FLOAT_UNALIGNED);
    double most = 0;
    double off = 0;
    for (int i = 0; i < want.length; i++) {
      most = Math.max(most, Math.abs(want[i]));
      off = Math.max(off, Math.abs(want[i] - got[i]));
    }
    if (got.length != want.length || !(off <= 1e-4 * most + 1e-6)) {
      wrong.add("%s: off by %g of %g".formatted(name, off, most));
    }
  }

  private static NDArray loss(
      NDManager manager, String golden, TensorFile expected, NDList outputs) {
    NDArray logits = outputs.get(0);
    NDArray labels = FamiliesTest.longs(manager, expected, "in.labels");
    if (golden.startsWith("decoders")) {
      logits = logits.get(":, :-1");
      labels = labels.get(":, 1:");
    }
    return crossEntropy(logits, labels);
  }

  /** The mean over what has a label that is a class. */
  private static NDArray crossEntropy(NDArray logits, NDArray labels) {
    long classes = logits.getShape().get(logits.getShape().dimension() - 1);
    NDArray known = labels.gte(0).logicalAnd(labels.lt(classes)).toType(DataType.FLOAT32, false);
    NDArray at = labels.clip(0, classes - 1).expandDims(-1);
    NDArray chosen = logits.logSoftmax(-1).gather(at, logits.getShape().dimension() - 1);
    return chosen.squeeze(-1).mul(known).sum().div(known.sum()).neg();
  }

  @Test
  void a_trainer_trains_and_saves() throws Exception {
    Models.givingBackInTheEnd(
        () -> {
          Path saved = folder.resolve("saved");
          float[] trained;
          try (ZooModel<NDList, NDList> model = Models.load(GOLDEN, "trainParam=true")) {
            DefaultTrainingConfig config =
                new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
                    .optOptimizer(
                        Optimizer.adam().optLearningRateTracker(Tracker.fixed(0.01f)).build());
            List<Float> losses = new ArrayList<>();
            try (Trainer trainer = model.newTrainer(config)) {
              trainer.initialize(new Shape(3, 4));
              NDManager manager = trainer.getManager();
              NDArray ids = ids(manager);
              NDArray labels = manager.create(new long[] {0, 1, 2}).reshape(3, 1);
              for (int step = 0; step < 12; step++) {
                try (GradientCollector collector = trainer.newGradientCollector()) {
                  NDArray loss =
                      trainer
                          .getLoss()
                          .evaluate(new NDList(labels), trainer.forward(new NDList(ids)));
                  losses.add(loss.getFloat());
                  collector.backward(loss);
                }
                trainer.step();
              }
            }
            assertTrue(losses.getLast() < 0.5f * losses.getFirst(), losses.toString());
            trained = predict(model);
            model.save(saved, "model");
          }
          try (ZooModel<NDList, NDList> again = Models.load(saved)) {
            assertArrayEquals(trained, predict(again), 1e-5f);
          }
        });
  }

  private static NDArray ids(NDManager manager) {
    return manager.create(new long[] {2, 5, 6, 3, 2, 7, 8, 3, 2, 9, 10, 3}).reshape(3, 4);
  }

  private static float[] predict(ZooModel<NDList, NDList> model) throws Exception {
    try (Predictor<NDList, NDList> predictor = model.newPredictor();
        NDManager manager = model.getNDManager().newSubManager()) {
      return predictor.predict(new NDList(ids(manager))).get(0).toFloatArray();
    }
  }

  @Test
  void frozen_parameters_stay() throws Exception {
    Models.givingBack(
        () -> {
          try (ZooModel<NDList, NDList> model = Models.load(GOLDEN, "trainParam=true");
              NDManager manager = model.getNDManager().newSubManager()) {
            var parameters = model.getBlock().getParameters();
            model.getBlock().freezeParameters(true);
            parameters.get("classifier.weight").freeze(false);
            try (GradientCollector collector = Engine.getEngine("Gatun").newGradientCollector()) {
              NDList outputs = forward(model, manager);
              collector.backward(outputs.get(0).square().sum());
              ai.djl.engine.EngineException twice =
                  assertThrows(
                      ai.djl.engine.EngineException.class,
                      () -> collector.backward(outputs.get(0).sum()));
              assertTrue(twice.getMessage().contains("taken before"), twice.getMessage());
            }
            NDArray gradient = parameters.get("classifier.weight").getArray().getGradient();
            assertTrue(gradient.abs().sum().getFloat() > 0);
            gradient.close();
            assertThrows(
                IllegalStateException.class,
                () -> parameters.get("classifier.bias").getArray().getGradient());
            parameters.get("classifier.weight").freeze(true);
          }
        });
  }

  private static NDList forward(ZooModel<NDList, NDList> model, NDManager manager) {
    return model
        .getBlock()
        .forward(new ParameterStore(manager, false), new NDList(ids(manager)), true);
  }

  @Test
  void packed_weights_are_not_trained() throws Exception {
    Models.givingBack(
        () -> {
          try (ZooModel<NDList, NDList> model = Models.load(GOLDEN);
              NDManager manager = model.getNDManager().newSubManager()) {
            UnsupportedOperationException refused =
                assertThrows(UnsupportedOperationException.class, () -> forward(model, manager));
            assertTrue(refused.getMessage().contains("trainParam=true"), refused.getMessage());
          }
        });
  }
}
