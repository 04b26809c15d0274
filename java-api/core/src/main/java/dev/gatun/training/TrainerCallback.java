package dev.gatun.training;

import java.nio.file.Path;
import java.util.Map;

/**
 * Is told how a run goes, by a trainer's own thread, and may ask something of it. What a callback
 * must know again after a resume it gives as {@link #state}.
 */
public interface TrainerCallback {
  /** The run begins, or goes on. */
  default void onTrainBegin(TrainerState state, TrainerControl control) {}

  /** An epoch begins. */
  default void onEpochBegin(TrainerState state, TrainerControl control) {}

  /** An epoch is over. */
  default void onEpochEnd(TrainerState state, TrainerControl control) {}

  /** An update is over, made or skipped. */
  default void onStepEnd(StepReport step, TrainerState state, TrainerControl control) {}

  /** Something is passed by, such as gradients that are not finite. */
  default void onWarning(String message) {}

  /** A line of the log. */
  default void onLog(Map<String, Object> entry, TrainerState state, TrainerControl control) {}

  /** The model was evaluated. */
  default void onEvaluate(
      Map<String, Object> metrics, TrainerState state, TrainerControl control) {}

  /** A checkpoint was written. */
  default void onSave(Path checkpoint, TrainerState state, TrainerControl control) {}

  /** The run is over. */
  default void onTrainEnd(TrainerState state, TrainerControl control) {}

  /** What a checkpoint keeps for {@link #restore}; empty for nothing. */
  default Map<String, Object> state() {
    return Map.of();
  }

  /** Takes what {@link #state} gave. */
  default void restore(Map<String, Object> state) {}
}
