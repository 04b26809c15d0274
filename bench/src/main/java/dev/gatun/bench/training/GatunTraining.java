package dev.gatun.bench.training;

import dev.gatun.bench.Subject;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.models.LossCounts;
import dev.gatun.models.TrainingSettings;
import dev.gatun.tensor.Device;
import dev.gatun.training.ModelLearner;
import dev.gatun.training.TrainingArguments;
import dev.gatun.training.data.Batch;
import java.io.IOException;
import java.nio.file.Path;

/** Gatun's steps, as its trainer makes them. */
public final class GatunTraining implements Subject {
  private final DType products;
  private ModelLearner learner;

  /**
   * @param products what products read of the weights
   */
  public GatunTraining(DType products) {
    this.products = products;
  }

  @Override
  public Task task(String name) throws Exception {
    TrainingCase c = TrainingCase.of(name);
    Batch batch = c.batch();
    begin(c);
    return new Task() {
      @Override
      public void run() {
        step(batch);
      }

      @Override
      public float[] result() throws IOException {
        begin(c);
        float[] losses = new float[TrainingCase.COMPARED];
        for (int i = 0; i < losses.length; i++) {
          losses[i] = step(batch);
        }
        return losses;
      }
    };
  }

  /** From the weights of the model's directory. */
  private void begin(TrainingCase c) throws IOException {
    close();
    TrainingArguments arguments =
        TrainingArguments.builder()
            .outputDir(Path.of("unused"))
            .learningRate(TrainingCase.LEARNING_RATE)
            .weightDecay(TrainingCase.WEIGHT_DECAY)
            .maxGradNorm(TrainingCase.CLIP)
            .build();
    learner =
        new ModelLearner(
            c.model()
                .load(
                    c.model().directory(TrainingCase.FOLDER),
                    TrainingSettings.DEFAULT.withProducts(products)),
            arguments);
  }

  /** The loss before it. */
  private float step(Batch batch) {
    LossCounts counts = learner.counts(batch);
    double loss = learner.accumulate(batch, counts, 0);
    learner.update(TrainingCase.LEARNING_RATE, TrainingCase.CLIP);
    return (float) loss;
  }

  @Override
  public String version() {
    return "gatun " + products + " " + Device.cpu().description();
  }

  @Override
  public void close() {
    if (learner != null) {
      learner.close();
      learner = null;
    }
  }
}
