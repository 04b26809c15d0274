package dev.gatun.models;

import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Indices;
import dev.gatun.nn.Linear;
import dev.gatun.nn.TrainableLinear;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Experts;
import dev.gatun.ops.Indexing;
import dev.gatun.ops.Layouts;
import dev.gatun.ops.Loss;
import dev.gatun.ops.LossBackward;
import dev.gatun.ops.Norm;
import dev.gatun.ops.Reductions;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Tensor;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * The losses of the heads, as Hugging Face's models define them, each F32 [1] on the device. A mean
 * over nothing is NaN.
 */
final class Losses {
  private static final long IGNORED = -100;

  private Losses() {}

  /** How many targets are not -100. */
  static long counted(long... targets) {
    return counted(IGNORED, targets);
  }

  private static long counted(long ignored, long... targets) {
    return LongStream.of(targets).filter(target -> target != ignored).count();
  }

  /**
   * What the targets that are not -100 weigh together.
   *
   * @param weights of each; null for 1
   */
  static double weight(long[] targets, float... weights) {
    return weight(IGNORED, targets, weights);
  }

  private static double weight(long ignored, long[] targets, float... weights) {
    return weights == null
        ? counted(ignored, targets)
        : IntStream.range(0, targets.length)
            .filter(i -> targets[i] != ignored)
            .mapToDouble(i -> weights[i])
            .sum();
  }

  /**
   * The mean cross-entropy of logits [rows, classes] over the targets that are not -100.
   *
   * @param items what it is a mean over; null for the targets that count
   */
  static Tensor crossEntropy(Tensor logits, long[] targets, Double items) {
    return crossEntropy(logits, targets, IGNORED, new Settings(items, 0, null));
  }

  /**
   * What a loss of classes is besides the scores and the targets.
   *
   * @param items what it is a mean over; null for what the targets that count weigh
   * @param smoothing the share of a target that all classes have alike
   * @param weights of each target; null for 1
   */
  record Settings(Double items, float smoothing, float... weights) {
    /** Of a part of a step, or of a batch alone where counts is null. */
    static Settings of(LossCounts counts, float smoothing, float... weights) {
      return new Settings(counts == null ? null : counts.items(), smoothing, weights);
    }

    Settings withWeights(float... others) {
      return new Settings(items, smoothing, others);
    }

    double count(long[] targets) {
      return items == null ? weight(targets, weights) : items;
    }
  }

  /**
   * The same with a share of each target that all classes have alike (Szegedy et al., arXiv
   * 1512.00567).
   */
  static Tensor crossEntropy(Tensor logits, long[] targets, Settings settings) {
    Tensor own = crossEntropy(logits, targets, IGNORED, settings);
    if (settings.smoothing == 0) {
      return own;
    }
    float[] rates = new float[targets.length];
    for (int i = 0; i < rates.length; i++) {
      float weight = settings.weights == null ? 1 : settings.weights[i];
      rates[i] = targets[i] == IGNORED ? 0 : -weight / logits.size(1);
    }
    Tensor each = Reductions.sum(Norm.logSoftmax(logits), 1).reshape(targets.length);
    Tensor counts = Tensor.of(logits.device(), rates, rates.length);
    Tensor all = mean(Elementwise.multiply(each, counts), settings.count(targets));
    return Elementwise.add(
        times(own, 1 - (double) settings.smoothing), times(all, settings.smoothing));
  }

  /**
   * The same of the scores that a layer gives, of which there are never those of all rows where
   * training changes the layer; rows whose target does not count are left out where they are many.
   *
   * @param before what the layer reads of hidden states
   * @param hidden [rows, hidden]
   */
  static Tensor crossEntropy(
      Linear output,
      UnaryOperator<Tensor> before,
      Tensor hidden,
      long[] targets,
      Settings settings) {
    requireClasses(output.outFeatures(), IGNORED, targets);
    long counted = counted(targets);
    Tensor rows = hidden;
    long[] kept = targets;
    float[] weights = settings.weights;
    double count = settings.count(targets);
    if (counted > 0 && 8 * counted <= 7L * targets.length) {
      long[] places =
          LongStream.range(0, targets.length).filter(i -> targets[(int) i] != IGNORED).toArray();
      kept = LongStream.of(places).map(i -> targets[(int) i]).toArray();
      if (weights != null) {
        weights = new float[places.length];
        for (int i = 0; i < weights.length; i++) {
          weights[i] = settings.weights[(int) places[i]];
        }
      }
      try (Ids ids = Ids.of(hidden.device(), "labelled", targets.length, places)) {
        rows = Indexing.indexSelect(hidden, 0, ids);
      }
    }
    Tensor x = Elementwise.cast(before.apply(rows), DType.F32);
    if (count == 0 || !(output instanceof TrainableLinear layer)) {
      return crossEntropy(output.forward(x), kept, settings.withWeights(weights));
    }
    Device device = hidden.device();
    try (Tensor given = Tensor.of(device, kept, kept.length);
        Tensor weigh = weights == null ? null : Tensor.of(device, weights, weights.length)) {
      return layer.crossEntropy(
          x,
          new Loss.Targets(given, weigh),
          new LossBackward.Settings(IGNORED, settings.smoothing, 0),
          count);
    }
  }

  private static void requireClasses(long classes, long ignored, long... targets) {
    for (int i = 0; i < targets.length; i++) {
      if ((targets[i] < 0 || targets[i] >= classes) && targets[i] != ignored) {
        throw new IllegalArgumentException(
            "cross_entropy: target %d at %d is outside of 0 to %d"
                .formatted(targets[i], i, classes - 1));
      }
    }
  }

  private static Tensor crossEntropy(
      Tensor logits, long[] targets, long ignored, Settings settings) {
    requireClasses(logits.size(1), ignored, targets);
    Tensor given = Tensor.of(logits.device(), targets, targets.length);
    Indices known = new Indices(given.operand(), logits.size(1));
    Tensor rows = Loss.crossEntropy(logits, given, known, ignored);
    float[] weights = settings.weights;
    Tensor weighed =
        weights == null
            ? rows
            : Elementwise.multiply(rows, Tensor.of(logits.device(), weights, weights.length));
    Double items = settings.items;
    return mean(weighed, items == null ? weight(ignored, targets, weights) : items);
  }

  private static Tensor mean(Tensor losses, double count) {
    return count > 0 ? Loss.mean(losses, count) : number(losses.device(), Float.NaN);
  }

  private static Tensor number(Device device, double value) {
    return Tensor.of(device, new float[] {(float) value}, 1);
  }

  /** A loss by a weight. */
  static Tensor times(Tensor loss, double weight) {
    return Elementwise.multiply(loss, number(loss.device(), weight));
  }

  /**
   * The load-balancing loss of routers, over the tokens of all layers: how many of the slots an
   * expert has, which is a constant, by its mean probability.
   *
   * @param logits F32 [tokens, experts] of each layer
   * @param perToken the experts of a token
   */
  static Tensor loadBalancing(List<Tensor> logits, int perToken) {
    Tensor all = logits.size() == 1 ? logits.getFirst() : Layouts.concat(0, logits);
    long rows = all.size(0);
    long experts = all.size(1);
    Tensor slots;
    try (var _ = Tape.pause();
        Experts.Routing routing = Experts.route(all, perToken, false, 1, null)) {
      Tensor offsets = Elementwise.cast(routing.offsets(), DType.F32);
      slots = Elementwise.subtract(offsets.slice(0, 1, experts + 1), offsets.slice(0, 0, experts));
    }
    Tensor probabilities = Reductions.sum(Norm.softmax(all), 0);
    return mean(Elementwise.multiply(probabilities, slots), (double) rows * rows / experts);
  }

  /**
   * The mean square of the log-sum-exps of routers (ST-MoE, arXiv 2202.08906).
   *
   * @param logits F32 [tokens, experts]
   */
  static Tensor routerZ(Tensor logits) {
    long rows = logits.size(0);
    Tensor first = Tensor.of(logits.device(), new long[Math.toIntExact(rows)], rows);
    Indices known = new Indices(first.operand(), logits.size(1));
    Tensor likelihoods = Loss.crossEntropy(logits, first, known, IGNORED);
    Tensor shown = logits.strided(0, new long[] {rows}, new long[] {logits.size(1)});
    Tensor logSums = Elementwise.add(likelihoods, shown);
    return mean(Elementwise.multiply(logSums, logSums), rows);
  }

  /**
   * How unevenly routers that choose one expert spread the tokens of each sequence (Switch
   * Transformers, arXiv 2101.03961, equation 4).
   *
   * @param logits F32 [sequences, tokens, experts]
   */
  static Tensor routerAux(Tensor logits) {
    long sequences = logits.size(0);
    long tokens = logits.size(1);
    long experts = logits.size(2);
    Tensor rows = logits.reshape(sequences * tokens, experts);
    Tensor chosen;
    try (var _ = Tape.pause()) {
      float[] each = new float[Math.toIntExact(experts)];
      for (int e = 0; e < each.length; e++) {
        each[e] = e;
      }
      Tensor best = Elementwise.cast(Reductions.argmax(rows).reshape(rows.size(0), 1), DType.F32);
      Tensor names = Tensor.of(logits.device(), each, 1, experts);
      chosen =
          Reductions.sum(Elementwise.equal(best, names).reshape(sequences, tokens, experts), 1);
    }
    Tensor probabilities =
        Reductions.sum(Norm.softmax(rows).reshape(sequences, tokens, experts), 1);
    return mean(
        Elementwise.multiply(probabilities, chosen),
        (double) tokens * tokens * sequences / experts);
  }

  /**
   * The loss of a sequence classification, by the problem type that the configuration names or
   * implies; null without labels.
   *
   * @param settings with the sequences that it is a mean over; null for those of the logits
   */
  static Tensor classification(
      Config config, Tensor logits, EncoderInputs inputs, Settings settings) {
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
      float[] weights = inputs.labelWeights() == null ? null : firstWeights(inputs.labelWeights());
      return crossEntropy(logits, firstColumn(inputs.labels()), settings.withWeights(weights));
    }
    if (inputs.labelWeights() != null) {
      throw new IllegalArgumentException(
          "label_weights: a %s has no classes of which one is right, expected none"
              .formatted(type));
    }
    if (settings.smoothing != 0) {
      throw new IllegalArgumentException(
          "label smoothing is %s, expected 0: a %s has no classes of which one is right"
              .formatted(settings.smoothing, type));
    }
    Double items = settings.items;
    Tensor targets = Tensor.of(logits.device(), targets(inputs, labels), logits.size(0), labels);
    Tensor losses;
    if (type == ProblemType.REGRESSION) {
      Tensor off = Elementwise.subtract(logits, targets);
      losses = Elementwise.multiply(off, off);
    } else if (config.problemType() == null
        && config.text("model_type", "").startsWith("deberta")) {
      // Its classes take numbers for shares of one label, where nobody says what they are.
      losses = times(Elementwise.multiply(Norm.logSoftmax(logits), targets), -labels);
    } else {
      losses = binary(logits, targets);
    }
    return mean(losses, (double) labels * (items == null ? logits.size(0) : items));
  }

  /** The labels of each sequence as numbers, one a column of the logits. */
  private static float[] targets(EncoderInputs inputs, int labels) {
    float[] all = new float[inputs.inputIds().length * labels];
    for (int row = 0; row < inputs.inputIds().length; row++) {
      int at = row;
      double[] targets =
          inputs.labelValues() != null
              ? IntStream.range(0, inputs.labelValues()[row].length)
                  .mapToDouble(i -> inputs.labelValues()[at][i])
                  .toArray()
              : LongStream.of(inputs.labels()[row]).asDoubleStream().toArray();
      if (targets.length != labels) {
        throw new IllegalArgumentException(
            "labels: row %d has %d, the model %d labels".formatted(row, targets.length, labels));
      }
      for (int i = 0; i < labels; i++) {
        all[row * labels + i] = (float) targets[i];
      }
    }
    return all;
  }

  /** The sum of the mean losses of start and end by 2; positions beyond the length do not count. */
  static Tensor spans(List<Tensor> logits, List<long[]> positions, int length, Double items) {
    Tensor sum = null;
    for (int i = 0; i < logits.size(); i++) {
      long[] clamped =
          LongStream.of(positions.get(i)).map(at -> Math.clamp(at, 0, length)).toArray();
      Tensor each = crossEntropy(logits.get(i), clamped, length, new Settings(items, 0, null));
      sum = sum == null ? each : Elementwise.add(sum, each);
    }
    return times(sum, 1.0 / logits.size());
  }

  /**
   * The mean binary cross-entropy of logits [rows, 1] with targets 0 and 1.
   *
   * @param items what it is a mean over; null for the rows
   */
  static Tensor binary(Tensor logits, long[] targets, Double items) {
    return mean(classes(logits, targets), items == null ? targets.length : items);
  }

  /** {@code -y ln σ(x) - (1 - y) ln(1 - σ(x))} of each element. */
  private static Tensor binary(Tensor logits, Tensor targets) {
    int count = Math.toIntExact(logits.count());
    Tensor rows = logits.reshape(count, 1);
    long[] ones = new long[count];
    Arrays.fill(ones, 1);
    Tensor right = targets.reshape(count);
    Tensor wrong = Elementwise.subtract(number(logits.device(), 1), right);
    return Elementwise.add(
        Elementwise.multiply(right, classes(rows, ones)),
        Elementwise.multiply(wrong, classes(rows, new long[count])));
  }

  /** The cross-entropy of each of two classes, whose logits are 0 and x. */
  private static Tensor classes(Tensor x, long[] targets) {
    Tensor two = Layouts.concat(1, List.of(Tensor.zeros(x.device(), x.size(0), 1), x));
    Tensor given = Tensor.of(x.device(), targets, targets.length);
    return Loss.crossEntropy(two, given, new Indices(given.operand(), 2), IGNORED);
  }

  static float[] firstWeights(float[][] rows) {
    float[] column = new float[rows.length];
    for (int i = 0; i < rows.length; i++) {
      if (rows[i].length != 1) {
        throw new IllegalArgumentException(
            "label_weights: row %d has %d, expected 1 for the sequence"
                .formatted(i, rows[i].length));
      }
      column[i] = rows[i][0];
    }
    return column;
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
