package dev.gatun.pipelines;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.models.Config;
import dev.gatun.models.ProblemType;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Norm;
import dev.gatun.tensor.Tensor;
import java.util.List;

/** What is applied to a classifier's logits. */
public enum ScoreFunction {
  /** One label is right: probabilities sum to one. */
  SOFTMAX,
  /** Each label by itself is right or wrong. */
  SIGMOID,
  /** The logits are the answer, as in regression. */
  NONE;

  /**
   * The function that a model's files ask for: a cross-encoder's own, else that of the kind of its
   * problem; with one label the sigmoid.
   *
   * @param config of the model
   * @param sentence {@code config_sentence_transformers.json}; null where there is none
   */
  static ScoreFunction of(Config config, Config sentence) {
    ScoreFunction own = null;
    if (sentence != null) {
      sentence.require("model_type", "CrossEncoder");
      sentence.warnOfOthers(List.of("__version__", "model_type", "activation_fn", "prompts"));
      own = named(sentence, "activation_fn");
    }
    if (own == null && config.has("sentence_transformers")) {
      own = named(config.object("sentence_transformers"), "activation_fn");
    }
    own = own == null ? named(config, "sbert_ce_default_activation_function") : own;
    if (own == null && sentence != null) {
      return config.labelCount() == 1 ? SIGMOID : NONE;
    }
    return own == null ? of(config) : own;
  }

  /** The function that a key names as a class of PyTorch; null where it names none. */
  private static ScoreFunction named(Config config, String key) {
    String name = config.text(key, null);
    return switch (name == null ? "" : TorchActivations.lastOf(name)) {
      case "" -> null;
      case "Identity" -> NONE;
      case "Sigmoid" -> SIGMOID;
      case "Softmax" -> SOFTMAX;
      default ->
          throw config.wrong(
              key,
              "one of torch.nn.modules' linear.Identity, activation.Sigmoid and"
                  + " activation.Softmax");
    };
  }

  /** The function for the kind of the problem that a configuration tells. */
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
