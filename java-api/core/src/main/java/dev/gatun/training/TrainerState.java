package dev.gatun.training;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * How far a run is: what transformers' {@code trainer_state.json} has, and what is needed to go on
 * with the same bits.
 */
public final class TrainerState {
  private static final String UPDATES = "gatun_updates";
  private static final String SKIPPED = "gatun_skipped_in_a_row";
  private static final String LOSS_SUM = "gatun_loss_since_log";
  private static final String LOSS_STEPS = "gatun_steps_since_log";

  long globalStep;
  long maxSteps;
  int stepsPerEpoch;
  // Updates that were not skipped.
  long updates;
  int skippedInARow;
  double lossSinceLog;
  int stepsSinceLog;
  long tokensSeen;
  Double bestMetric;
  long bestGlobalStep;
  String bestModelCheckpoint;
  final List<Map<String, Object>> logHistory = new ArrayList<>();

  TrainerState() {}

  /** {@return updates that are over, skipped ones among them} */
  public long globalStep() {
    return globalStep;
  }

  /** {@return updates of the whole run} */
  public long maxSteps() {
    return maxSteps;
  }

  /** {@return updates that were not skipped, by which the schedule moves} */
  public long updates() {
    return updates;
  }

  /** {@return how much of the data was seen, in passes} */
  public double epoch() {
    return (double) globalStep / stepsPerEpoch;
  }

  /** {@return tokens that the model read} */
  public long tokensSeen() {
    return tokensSeen;
  }

  /** {@return the best value of {@code metric_for_best_model}; null before the first} */
  public Double bestMetric() {
    return bestMetric;
  }

  /** {@return the checkpoint of the best value; null for none} */
  public String bestModelCheckpoint() {
    return bestModelCheckpoint;
  }

  /** {@return the lines of the log} */
  public List<Map<String, Object>> logHistory() {
    return List.copyOf(logHistory);
  }

  /** The same as {@code trainer_state.json} has it. */
  Map<String, Object> toJson(TrainingArguments arguments, Map<String, Object> callbacks) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("best_global_step", bestMetric == null ? null : bestGlobalStep);
    json.put("best_metric", bestMetric);
    json.put("best_model_checkpoint", bestModelCheckpoint);
    json.put("epoch", epoch());
    json.put("eval_steps", arguments.evalSteps());
    json.put("global_step", globalStep);
    json.put("is_hyper_param_search", false);
    json.put("is_local_process_zero", true);
    json.put("is_world_process_zero", true);
    json.put("log_history", logHistory);
    json.put("logging_steps", arguments.loggingSteps());
    json.put("max_steps", maxSteps);
    json.put("num_input_tokens_seen", tokensSeen);
    json.put("num_train_epochs", (long) Math.ceil((double) maxSteps / stepsPerEpoch));
    json.put("save_steps", arguments.saveSteps());
    json.put("stateful_callbacks", callbacks);
    json.put("total_flos", 0);
    json.put("train_batch_size", arguments.perDeviceTrainBatchSize());
    json.put("trial_name", null);
    json.put("trial_params", null);
    json.put(UPDATES, updates);
    json.put(SKIPPED, skippedInARow);
    json.put(LOSS_SUM, lossSinceLog);
    json.put(LOSS_STEPS, stepsSinceLog);
    return json;
  }

  /** Takes what a file of {@link #toJson} has. */
  void read(Map<String, Object> json) {
    globalStep = number(json, "global_step").longValue();
    tokensSeen = number(json, "num_input_tokens_seen").longValue();
    updates = number(json, UPDATES).longValue();
    skippedInARow = number(json, SKIPPED).intValue();
    lossSinceLog = number(json, LOSS_SUM).doubleValue();
    stepsSinceLog = number(json, LOSS_STEPS).intValue();
    bestMetric = json.get("best_metric") instanceof Number n ? n.doubleValue() : null;
    bestGlobalStep = json.get("best_global_step") instanceof Number n ? n.longValue() : 0;
    bestModelCheckpoint = (String) json.get("best_model_checkpoint");
    logHistory.clear();
    for (Object entry : (List<?>) json.get("log_history")) {
      Map<String, Object> line = new LinkedHashMap<>();
      ((Map<?, ?>) entry)
          .forEach(
              (key, value) ->
                  line.put(
                      (String) key, value instanceof Integer number ? number.longValue() : value));
      logHistory.add(line);
    }
  }

  private static Number number(Map<String, Object> json, String key) {
    if (json.get(key) instanceof Number number) {
      return number;
    }
    throw new CheckpointException(
        "trainer_state.json: '%s' is %s, expected a number".formatted(key, json.get(key)));
  }
}
