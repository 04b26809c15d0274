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
 * DJL's trainer, its collector of gradients, and its AdamW, which limits each element of a gradient
 * and not their norm. On its PyTorch engine a TorchScript program computes the loss, on Gatun's the
 * model of a directory the scores, and DJL the loss. Batches are padded to their longest sequence.
 */
public final class DjlTraining implements Subject {
  private final String engine;
  private final Function<TrainingModel, Path> programs;
  private ZooModel<NDList, NDList> model;
  private Trainer trainer;

  /**
   * @param programs the files of the models
   */
  public DjlTraining(String engine, Function<TrainingModel, Path> programs) {
    this.engine = engine;
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
            .optEngine(engine)
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
        NDArray output = loss(inputs);
        output.attach(scope);
        collector.backward(output);
        loss = output.getFloat();
      }
      trainer.step();
      return loss;
    }
  }

  private NDArray loss(NDList inputs) {
    if (engine.equals("PyTorch")) {
      return trainer.forward(inputs).singletonOrThrow();
    }
    NDArray labels = inputs.get(2);
    NDList outputs = trainer.forward(inputs.subNDList(0, 2));
    return trainer.getLoss().evaluate(new NDList(labels.expandDims(-1)), outputs);
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
    return "DJL's engine %s %s".formatted(engine, Engine.getEngine(engine).getVersion());
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
