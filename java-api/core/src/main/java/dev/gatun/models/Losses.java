package dev.gatun.models;

import dev.gatun.ops.Ops;
import dev.gatun.tensor.Tensor;
import java.util.List;

/** The losses of the heads, as Hugging Face's models define them. */
final class Losses {
  private static final long IGNORED = -100;
  private static final List<String> TYPES =
      List.of("regression", "single_label_classification", "multi_label_classification");

  private Losses() {}

  /** The mean cross-entropy of logits [rows, classes] over the targets that are not -100. */
  static float crossEntropy(Tensor logits, long[] targets) {
    return crossEntropy(logits, targets, IGNORED);
  }

  static float crossEntropy(Tensor logits, long[] targets, long ignored) {
    float[] losses =
        Ops.crossEntropy(logits, Tensor.of(logits.device(), targets, targets.length), ignored)
            .toFloatArray();
    double sum = 0;
    int count = 0;
    for (int i = 0; i < losses.length; i++) {
      if (targets[i] != ignored) {
        sum += losses[i];
        count++;
      }
    }
    return (float) (sum / count);
  }

  /**
   * The loss of a sequence classification, by the problem type that the configuration names or
   * implies.
   */
  static Float classification(Config config, Tensor logits, EncoderInputs inputs) {
    int labels = (int) logits.size(1);
    String type = config.text("problem_type", null);
    if (type == null) {
      type =
          labels == 1
              ? "regression"
              : inputs.labels() != null
                  ? "single_label_classification"
                  : "multi_label_classification";
    }
    if (inputs.labels() == null && inputs.labelValues() == null) {
      return null;
    }
    if (!TYPES.contains(type)) {
      throw config.error(
          "'problem_type' is \"%s\", expected one of %s".formatted(type, String.join(", ", TYPES)));
    }
    if (type.equals("single_label_classification")) {
      if (inputs.labels() == null) {
        throw new IllegalArgumentException("labels: single-label classification needs class ids");
      }
      return crossEntropy(logits, firstColumn(inputs.labels()));
    }
    float[] x = logits.toFloatArray();
    double sum = 0;
    for (int i = 0; i < x.length; i++) {
      int row = i / labels;
      int given =
          inputs.labelValues() != null
              ? inputs.labelValues()[row].length
              : inputs.labels()[row].length;
      if (given != labels) {
        throw new IllegalArgumentException(
            "labels: row %d has %d, the model %d labels".formatted(row, given, labels));
      }
      double y =
          inputs.labelValues() != null
              ? inputs.labelValues()[row][i % labels]
              : inputs.labels()[row][i % labels];
      sum +=
          type.equals("regression")
              ? (x[i] - y) * (x[i] - y)
              : Math.max(x[i], 0) - x[i] * y + Math.log1p(Math.exp(-Math.abs(x[i])));
    }
    return (float) (sum / x.length);
  }

  /** The mean of the losses of start and end; positions beyond the length do not count. */
  static float spans(List<Tensor> logits, List<long[]> positions, int length) {
    float sum = 0;
    for (int i = 0; i < logits.size(); i++) {
      long[] clamped = positions.get(i).clone();
      for (int j = 0; j < clamped.length; j++) {
        clamped[j] = Math.clamp(clamped[j], 0, length);
      }
      sum += crossEntropy(logits.get(i), clamped, length);
    }
    return sum / logits.size();
  }

  /** The mean binary cross-entropy of logits with targets 0 and 1. */
  static float binary(float[] logits, long[] targets) {
    double sum = 0;
    for (int i = 0; i < logits.length; i++) {
      double x = logits[i];
      sum += Math.max(x, 0) - x * targets[i] + Math.log1p(Math.exp(-Math.abs(x)));
    }
    return (float) (sum / logits.length);
  }

  static long[] firstColumn(long[][] rows) {
    long[] column = new long[rows.length];
    for (int i = 0; i < rows.length; i++) {
      if (rows[i].length != 1) {
        throw new IllegalArgumentException(
            "labels: row %d has %d, expected 1 for the sequence".formatted(i, rows[i].length));
      }
      column[i] = rows[i][0];
    }
    return column;
  }
}
