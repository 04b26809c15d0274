package dev.gatun.models;

import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.tensor.Tensor;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** The losses of the heads, as Hugging Face's models define them. */
final class Losses {
  private static final long IGNORED = -100;

  private Losses() {}

  /** The mean cross-entropy of logits [rows, classes] over the targets that are not -100. */
  static Loss crossEntropy(Tensor logits, long[] targets) {
    return crossEntropy(logits, targets, IGNORED);
  }

  static Loss crossEntropy(Tensor logits, long[] targets, long ignored) {
    int[] counted = counted(logits, targets, ignored);
    Tensor given = Tensor.of(logits.device(), targets, targets.length);
    Indices known = new Indices(given.operand(), logits.size(1));
    return Loss.of(
        dev.gatun.ops.Loss.crossEntropy(logits, given, known, ignored),
        rows -> {
          float[] losses = rows.toFloatArray();
          double sum = 0;
          for (int row : counted) {
            sum += losses[row];
          }
          return (float) (sum / counted.length);
        });
  }

  /**
   * The load-balancing loss of routers, over the tokens of all layers.
   *
   * @param logits F32 [tokens, experts] of each layer
   * @param perToken the experts of a token
   */
  static Loss loadBalancing(List<Tensor> logits, int perToken) {
    logits.forEach(Tensor::detach);
    return new Loss(
        List.copyOf(logits),
        () -> {
          int experts = (int) logits.getFirst().size(1);
          double[] slots = new double[experts];
          double[] probabilities = new double[experts];
          double rows = 0;
          for (Tensor layer : logits) {
            float[] x = layer.toFloatArray();
            for (int row = 0; row < x.length; row += experts) {
              route(x, row, perToken, slots, probabilities);
            }
            rows += layer.size(0);
          }
          double sum = 0;
          for (int e = 0; e < experts; e++) {
            sum += slots[e] / rows * (probabilities[e] / rows);
          }
          return (float) (sum * experts);
        });
  }

  /** Adds a token's choice of experts, the first of equal ones, and the softmax of its logits. */
  private static void route(
      float[] x, int row, int perToken, double[] slots, double[] probabilities) {
    int experts = slots.length;
    double largest = Double.NEGATIVE_INFINITY;
    for (int e = 0; e < experts; e++) {
      largest = Math.max(largest, x[row + e]);
    }
    double sum = 0;
    for (int e = 0; e < experts; e++) {
      sum += Math.exp(x[row + e] - largest);
    }
    for (int e = 0; e < experts; e++) {
      probabilities[e] += Math.exp(x[row + e] - largest) / sum;
      int before = 0;
      for (int other = 0; other < experts; other++) {
        boolean more = x[row + other] > x[row + e];
        before += more || x[row + other] == x[row + e] && other < e ? 1 : 0;
      }
      slots[e] += before < perToken ? 1 : 0;
    }
  }

  /** The rows whose target counts; requires each to be a class. */
  private static int[] counted(Tensor logits, long[] targets, long ignored) {
    for (int i = 0; i < targets.length; i++) {
      if ((targets[i] < 0 || targets[i] >= logits.size(1)) && targets[i] != ignored) {
        throw new IllegalArgumentException(
            "cross_entropy: target %d at %d is outside of 0 to %d"
                .formatted(targets[i], i, logits.size(1) - 1));
      }
    }
    return IntStream.range(0, targets.length).filter(i -> targets[i] != ignored).toArray();
  }

  /**
   * The loss of a sequence classification, by the problem type that the configuration names or
   * implies.
   */
  static Loss classification(Config config, Tensor logits, EncoderInputs inputs) {
    int labels = (int) logits.size(1);
    if (inputs.labels() == null && inputs.labelValues() == null) {
      return null;
    }
    ProblemType type = config.problemType();
    if (type == null) {
      type =
          labels == 1
              ? ProblemType.REGRESSION
              : inputs.labels() != null
                  ? ProblemType.SINGLE_LABEL_CLASSIFICATION
                  : ProblemType.MULTI_LABEL_CLASSIFICATION;
    }
    if (type == ProblemType.SINGLE_LABEL_CLASSIFICATION) {
      if (inputs.labels() == null) {
        throw new IllegalArgumentException("labels: single-label classification needs class ids");
      }
      return crossEntropy(logits, firstColumn(inputs.labels()));
    }
    double[][] targets = targets(inputs, labels);
    boolean regression = type == ProblemType.REGRESSION;
    // The logits are the output's, which closes them.
    return new Loss(
        List.of(),
        () -> {
          float[] x = logits.toFloatArray();
          double sum = 0;
          for (int i = 0; i < x.length; i++) {
            double y = targets[i / labels][i % labels];
            sum += regression ? (x[i] - y) * (x[i] - y) : binary(x[i], y);
          }
          return (float) (sum / x.length);
        });
  }

  /** The labels of each sequence as numbers, one a column of the logits. */
  private static double[][] targets(EncoderInputs inputs, int labels) {
    double[][] targets = new double[inputs.inputIds().length][];
    for (int row = 0; row < targets.length; row++) {
      int at = row;
      targets[row] =
          inputs.labelValues() != null
              ? IntStream.range(0, inputs.labelValues()[row].length)
                  .mapToDouble(i -> inputs.labelValues()[at][i])
                  .toArray()
              : LongStream.of(inputs.labels()[row]).asDoubleStream().toArray();
      if (targets[row].length != labels) {
        throw new IllegalArgumentException(
            "labels: row %d has %d, the model %d labels"
                .formatted(row, targets[row].length, labels));
      }
    }
    return targets;
  }

  /** The mean of the losses of start and end; positions beyond the length do not count. */
  static Loss spans(List<Tensor> logits, List<long[]> positions, int length) {
    Loss[] each = new Loss[logits.size()];
    for (int i = 0; i < each.length; i++) {
      long[] clamped = positions.get(i).clone();
      for (int j = 0; j < clamped.length; j++) {
        clamped[j] = Math.clamp(clamped[j], 0, length);
      }
      each[i] = crossEntropy(logits.get(i), clamped, length);
    }
    return new Loss(
        Stream.of(each).flatMap(loss -> loss.parts().stream()).toList(),
        () -> {
          float sum = 0;
          for (Loss loss : each) {
            sum += loss.value();
          }
          return sum / each.length;
        });
  }

  /** The mean binary cross-entropy of logits [rows, 1] with targets 0 and 1. */
  static Loss binary(Tensor logits, long[] targets) {
    return Loss.of(
        logits,
        rows -> {
          float[] x = rows.toFloatArray();
          double sum = 0;
          for (int i = 0; i < targets.length; i++) {
            sum += binary(x[i], targets[i]);
          }
          return (float) (sum / targets.length);
        });
  }

  private static double binary(double x, double y) {
    return Math.max(x, 0) - x * y + Math.log1p(Math.exp(-Math.abs(x)));
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
