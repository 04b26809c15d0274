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
import java.nio.file.Path;

/** Trains a classifier of texts further, by DJL's trainer. */
public final class DjlFineTuning {
  private DjlFineTuning() {}

  /**
   * Prints whether the loss fell.
   *
   * @param args a model's directory, and where the trained one is written
   */
  public static void main(String[] args) throws Exception {
    Criteria<NDList, NDList> criteria =
        Criteria.builder()
            .setTypes(NDList.class, NDList.class)
            .optModelPath(Path.of(args[0]))
            .optOption("trainParam", "true")
            .optTranslator(new NoopTranslator())
            .build();
    DefaultTrainingConfig config =
        new DefaultTrainingConfig(Loss.softmaxCrossEntropyLoss())
            .optOptimizer(Optimizer.adam().optLearningRateTracker(Tracker.fixed(0.01f)).build());
    try (ZooModel<NDList, NDList> model = criteria.loadModel()) {
      try (Trainer trainer = model.newTrainer(config)) {
        trainer.initialize(new Shape(2, 4));
        NDManager manager = trainer.getManager();
        NDArray ids = manager.create(new long[] {2, 5, 6, 3, 2, 7, 8, 3}, new Shape(2, 4));
        NDArray labels = manager.create(new long[] {0, 1}, new Shape(2, 1));
        float first = 0;
        float last = 0;
        for (int step = 0; step < 10; step++) {
          try (GradientCollector collector = trainer.newGradientCollector()) {
            NDList scores = trainer.forward(new NDList(ids));
            NDArray loss = trainer.getLoss().evaluate(new NDList(labels), scores);
            collector.backward(loss);
            last = loss.getFloat();
            first = step == 0 ? last : first;
          }
          trainer.step();
        }
        System.out.println(last < first / 2 ? "trained" : "the loss did not fall");
      }
      model.save(Path.of(args[1]), "trained");
    }
  }
}
