package dev.gatun.bench.training;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import ai.djl.translate.NoopTranslator;
import dev.gatun.bench.Subject;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.function.Function;

/**
 * DJL's trainer with its PyTorch engine: a TorchScript program that computes the loss, DJL's
 * collector of gradients, and its AdamW, which limits each element of a gradient and not their
 * norm. Batches are padded to their longest sequence.
 */
public final class TorchTraining implements Subject {
  private final Function<TrainingModel, Path> programs;
  private ZooModel<NDList, NDList> model;
  private Trainer trainer;

  /**
   * @param programs the TorchScript files of the models
   */
  public TorchTraining(Function<TrainingModel, Path> programs) {
    this.programs = programs;
  }

  @Override
  public Task task(String name) throws Exception {
    TrainingCase c = TrainingCase.of(name);
    begin(c);
    return new Task() {
      @Override
      public void run() {
        step(c);
      }

      @Override
      public float[] result() throws Exception {
        begin(c);
        float[] losses = new float[TrainingCase.COMPARED];
        for (int i = 0; i < losses.length; i++) {
          losses[i] = step(c);
        }
        return losses;
      }
    };
  }

  private void begin(TrainingCase c) throws Exception {
    close();
    model =
        Criteria.builder()
            .setTypes(NDList.class, NDList.class)
            .optModelPath(programs.apply(c.model()))
            .optEngine("PyTorch")
            .optOption("trainParam", "true")
            .optTranslator(new NoopTranslator())
            .build()
            .loadModel();
    Optimizer adamW =
        Optimizer.adamW()
            .optLearningRateTracker(Tracker.fixed(TrainingCase.LEARNING_RATE))
            .optWeightDecays(TrainingCase.WEIGHT_DECAY)
            .optClipGrad(TrainingCase.CLIP)
            .build();
    trainer =
        model.newTrainer(
            new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss()).optOptimizer(adamW));
  }

  /** The loss before it. */
  private float step(TrainingCase c) {
    try (NDManager scope = trainer.getManager().newSubManager()) {
      NDList inputs = inputs(c, scope);
      float loss;
      try (GradientCollector collector = trainer.newGradientCollector()) {
        NDList outputs = trainer.forward(inputs);
        outputs.attach(scope);
        NDArray output = outputs.singletonOrThrow();
        collector.backward(output);
        loss = output.getFloat();
      }
      trainer.step();
      return loss;
    }
  }

  private static NDList inputs(TrainingCase c, NDManager scope) {
    long[][] ids = c.ids();
    int length = Arrays.stream(c.lengths()).max().getAsInt();
    long[] padded = padded(ids, length, 0);
    long[][] ones = new long[ids.length][];
    for (int i = 0; i < ids.length; i++) {
      ones[i] = new long[ids[i].length];
      Arrays.fill(ones[i], 1);
    }
    Shape shape = new Shape(ids.length, length);
    boolean ofTokens = c.model().isDecoder() || c.model().hidesTokens();
    long[] labels = padded(c.labels(), ofTokens ? length : 1, -100);
    return new NDList(
        scope.create(padded, shape),
        scope.create(padded(ones, length, 0), shape),
        scope.create(labels, ofTokens ? shape : new Shape(ids.length)));
  }

  private static long[] padded(long[][] rows, int length, long with) {
    long[] padded = new long[rows.length * length];
    Arrays.fill(padded, with);
    for (int i = 0; i < rows.length; i++) {
      System.arraycopy(rows[i], 0, padded, i * length, rows[i].length);
    }
    return padded;
  }

  @Override
  public String version() {
    return "DJL PyTorch engine, libtorch " + Engine.getEngine("PyTorch").getVersion();
  }

  @Override
  public void close() {
    if (trainer != null) {
      trainer.close();
      model.close();
      trainer = null;
    }
  }
}
