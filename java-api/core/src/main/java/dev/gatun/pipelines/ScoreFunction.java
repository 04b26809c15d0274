package dev.gatun.pipelines;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.models.Config;
import dev.gatun.models.ProblemType;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Norm;
import dev.gatun.tensor.Tensor;

/** What is applied to a classifier's logits. */
public enum ScoreFunction {
  /** One label is right: probabilities sum to one. */
  SOFTMAX,
  /** Each label by itself is right or wrong. */
  SIGMOID,
  /** The logits are the answer, as in regression. */
  NONE;

  /** The function that {@code config.json} asks for; with one label the sigmoid. */
  static ScoreFunction of(Config config) {
    ProblemType type = config.problemType();
    if (type == ProblemType.REGRESSION) {
      return NONE;
    }
    boolean alone = type == ProblemType.MULTI_LABEL_CLASSIFICATION || config.labelCount() == 1;
    return alone ? SIGMOID : SOFTMAX;
  }

  /** The scores of logits [rows, labels]. */
  Tensor apply(Tensor logits) {
    return switch (this) {
      case SOFTMAX -> Norm.softmax(logits);
      case SIGMOID -> Elementwise.activation(logits, Activation.SIGMOID);
      case NONE -> logits;
    };
  }
}
