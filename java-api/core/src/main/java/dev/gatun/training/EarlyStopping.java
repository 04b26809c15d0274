package dev.gatun.training;

import java.util.Map;

/** Ends a run whose metric has not become better for some evaluations. */
public final class EarlyStopping implements TrainerCallback {
  private static final String COUNTER = "early_stopping_patience_counter";
  private static final String BEST = "best";

  private final TrainingArguments arguments;
  private final int patience;
  private final double threshold;
  private int counter;
  private Double best;

  /**
   * A rule that has seen no evaluation yet.
   *
   * @param arguments say what is compared, {@code metric_for_best_model}
   * @param patience evaluations without a better value after which the run ends, at least one
   * @param threshold by how much a value must be better to count
   */
  public EarlyStopping(TrainingArguments arguments, int patience, double threshold) {
    if (patience < 1 || !(threshold >= 0)) {
      throw new IllegalArgumentException(
          "early stopping: patience %d and threshold %s, expected at least 1 and 0"
              .formatted(patience, threshold));
    }
    if (arguments.evalStrategy() == TrainingArguments.Strategy.NO) {
      throw new IllegalArgumentException(
          "early stopping: eval_strategy is no, expected steps or epoch");
    }
    this.arguments = arguments;
    this.patience = patience;
    this.threshold = threshold;
  }

  @Override
  public void onEvaluate(Map<String, Object> metrics, TrainerState state, TrainerControl control) {
    double value = Trainer.metric(arguments, metrics);
    boolean better =
        best == null
            ? !Double.isNaN(value)
            : arguments.isBetter(value, best) && Math.abs(value - best) > threshold;
    if (better) {
      best = value;
      counter = 0;
    } else if (++counter >= patience) {
      control.stop();
    }
  }

  @Override
  public Map<String, Object> state() {
    return best == null ? Map.of(COUNTER, counter) : Map.of(COUNTER, counter, BEST, best);
  }

  @Override
  public void restore(Map<String, Object> state) {
    counter = ((Number) state.getOrDefault(COUNTER, 0)).intValue();
    best = state.get(BEST) instanceof Number number ? number.doubleValue() : null;
  }
}
