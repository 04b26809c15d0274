package dev.gatun.training;

import java.util.Map;

/**
 * How a run ended.
 *
 * @param globalStep updates of the whole run, those before a resume among them
 * @param trainingLoss the mean loss of the updates since this call began; NaN where there were none
 * @param tokens that the model read in this call
 * @param seconds that it took
 * @param metrics of the last evaluation; empty where there was none
 * @param bestModelCheckpoint the checkpoint whose weights the model has now, with {@code
 *     load_best_model_at_end}; else null
 */
public record TrainingResult(
    long globalStep,
    double trainingLoss,
    long tokens,
    double seconds,
    Map<String, Object> metrics,
    String bestModelCheckpoint) {}
