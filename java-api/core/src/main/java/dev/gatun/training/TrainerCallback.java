package dev.gatun.training;

import java.nio.file.Path;
import java.util.Map;

/**
 * Is told how a run goes, by a trainer's own thread, and may ask something of it. What a callback
 * must know again after a resume it gives as {@link #state}.
 */
public interface TrainerCallback {
  /**
   * The run begins, or goes on.
   *
   * @param state how far the run is, updates of an earlier part included
   * @param control takes what is asked of the trainer
   */
  default void onTrainBegin(TrainerState state, TrainerControl control) {}

  /**
   * An epoch begins.
   *
   * @param state how far the run is, before the epoch's first update
   * @param control takes what is asked of the trainer
   */
  default void onEpochBegin(TrainerState state, TrainerControl control) {}

  /**
   * An epoch is over.
   *
   * @param state how far the run is, after the epoch's last update
   * @param control takes what is asked of the trainer
   */
  default void onEpochEnd(TrainerState state, TrainerControl control) {}

  /**
   * An update is over, made or skipped.
   *
   * @param step what it did
   * @param state how far the run is, the update included
   * @param control takes what is asked of the trainer, for after this update
   */
  default void onStepEnd(StepReport step, TrainerState state, TrainerControl control) {}

  /**
   * Something is passed by, such as gradients that are not finite.
   *
   * @param message what happened, and what is done about it
   */
  default void onWarning(String message) {}

  /**
   * A line of the log.
   *
   * @param entry {@code step} and {@code epoch}, with {@code loss}, the mean since the last line,
   *     {@code grad_norm} and {@code learning_rate}, or with the metrics of an evaluation; not to
   *     be changed
   * @param state how far the run is, the line included
   * @param control takes what is asked of the trainer
   */
  default void onLog(Map<String, Object> entry, TrainerState state, TrainerControl control) {}

  /**
   * The model was evaluated.
   *
   * @param metrics values by name, such as {@code eval_loss}, with {@code step} and {@code epoch};
   *     not to be changed
   * @param state how far the run is, its best metric included
   * @param control takes what is asked of the trainer
   */
  default void onEvaluate(
      Map<String, Object> metrics, TrainerState state, TrainerControl control) {}

  /**
   * A checkpoint was written.
   *
   * @param checkpoint the folder {@code checkpoint-N}
   * @param state how far the run is
   * @param control takes what is asked of the trainer
   */
  default void onSave(Path checkpoint, TrainerState state, TrainerControl control) {}

  /**
   * The run is over.
   *
   * @param state how far the run came
   * @param control of the run that is over, which takes nothing more
   */
  default void onTrainEnd(TrainerState state, TrainerControl control) {}

  /**
   * {@return what a checkpoint keeps for {@link #restore}: values that JSON has, by name; empty for
   * nothing}
   */
  default Map<String, Object> state() {
    return Map.of();
  }

  /**
   * Takes what {@link #state} gave.
   *
   * @param state as JSON gives it back: an integer may be of another width
   */
  default void restore(Map<String, Object> state) {}
}
