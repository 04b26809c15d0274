import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.core.Linear;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.Trainer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import java.util.Locale;

/** Finds the line through points, by DJL's arrays and its trainer. */
public final class DjlRegression {
  private DjlRegression() {}

  /** Prints the slope and the intercept of y = 3x - 1. */
  public static void main(String[] args) {
    DefaultTrainingConfig config =
        new DefaultTrainingConfig(Loss.l2Loss())
            .optOptimizer(Optimizer.sgd().setLearningRateTracker(Tracker.fixed(0.5f)).build());
    try (Model model = Model.newInstance("line")) {
      model.setBlock(Linear.builder().setUnits(1).build());
      try (Trainer trainer = model.newTrainer(config)) {
        trainer.initialize(new Shape(1, 1));
        NDManager manager = trainer.getManager();
        NDArray x = manager.linspace(-1f, 1f, 21).reshape(-1, 1);
        NDArray y = x.mul(3).sub(1);
        for (int step = 0; step < 100; step++) {
          try (GradientCollector collector = trainer.newGradientCollector()) {
            NDList line = trainer.forward(new NDList(x));
            collector.backward(trainer.getLoss().evaluate(new NDList(y), line));
          }
          trainer.step();
        }
        var parameters = model.getBlock().getParameters();
        System.out.printf(
            Locale.ROOT,
            "y = %.2f x %+.2f%n",
            parameters.get("weight").getArray().getFloat(0, 0),
            parameters.get("bias").getArray().getFloat(0));
      }
    }
  }
}
