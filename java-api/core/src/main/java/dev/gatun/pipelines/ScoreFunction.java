package dev.gatun.pipelines;

import com.fasterxml.jackson.databind.JsonNode;

/** What is applied to a classifier's logits. */
public enum ScoreFunction {
  /** One label is right: probabilities sum to one. */
  SOFTMAX,
  /** Each label by itself is right or wrong. */
  SIGMOID,
  /** The logits are the answer, as in regression. */
  NONE;

  /** The function that {@code config.json} asks for; with one label the sigmoid. */
  static ScoreFunction of(JsonNode config, int labels) {
    return switch (config.path("problem_type").asText("")) {
      case "regression" -> NONE;
      case "multi_label_classification" -> SIGMOID;
      case "single_label_classification" -> labels == 1 ? SIGMOID : SOFTMAX;
      default -> labels == 1 ? SIGMOID : SOFTMAX;
    };
  }

  float[] apply(float[] logits) {
    return switch (this) {
      case SOFTMAX -> Scores.softmax(logits);
      case SIGMOID -> Scores.sigmoid(logits);
      case NONE -> logits.clone();
    };
  }
}
