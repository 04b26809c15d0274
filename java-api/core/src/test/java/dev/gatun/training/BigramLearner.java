package dev.gatun.training;

import dev.gatun.generation.Philox;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.models.LossCounts;
import dev.gatun.nn.Parameter;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import dev.gatun.training.data.Batch;
import dev.gatun.training.data.Features;
import dev.gatun.weights.SafetensorsWriter;
import dev.gatun.weights.TensorFile;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * A language model of tests: the scores of the next token are a row of a table, some of them
 * dropped, and a bias. Adam in double over floats.
 */
final class BigramLearner implements Learner {
  private static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED;

  private final int vocabulary;
  private final double dropout;
  private final Tensor table;
  private final Tensor bias;
  private final List<Parameter> parameters;
  // Of all weights: the table's, then the bias's.
  private final float[] weights;
  private final float[] mean;
  private final float[] square;
  private final double[] gradient;
  private long updates;

  /** Batches that were computed, their items as they were passed, for tests. */
  final List<Double> items = new ArrayList<>();

  /** Rates of updates that were made. */
  final List<Double> rates = new ArrayList<>();

  /** Ids of all samples in the order in which they came. */
  final List<long[]> seen = new ArrayList<>();

  /** Steps, from 1, whose gradient is made infinite. */
  final List<Integer> poisoned = new ArrayList<>();

  private int steps;

  BigramLearner(int vocabulary, double dropout) {
    this.vocabulary = vocabulary;
    this.dropout = dropout;
    int count = vocabulary * vocabulary + vocabulary;
    this.weights = new float[count];
    this.mean = new float[count];
    this.square = new float[count];
    this.gradient = new double[count];
    for (int i = 0; i < count; i++) {
      weights[i] = (float) (Philox.uniform(11, i, 0) * 0.2 - 0.1);
    }
    this.table = Tensor.empty(Device.cpu(), DType.F32, vocabulary, vocabulary);
    this.bias = Tensor.empty(Device.cpu(), DType.F32, vocabulary);
    this.parameters =
        List.of(new Parameter("table.weight", table), new Parameter("table.bias", bias));
    write();
  }

  private void write() {
    int split = vocabulary * vocabulary;
    parameters.get(0).write(Arrays.copyOf(weights, split));
    parameters.get(1).write(Arrays.copyOfRange(weights, split, weights.length));
  }

  float[] weights() {
    return weights.clone();
  }

  /** Puts a number over the bias of a token. */
  void bias(int token, float number) {
    weights[vocabulary * vocabulary + token] = number;
    write();
  }

  double[] gradient() {
    return gradient.clone();
  }

  @Override
  public List<Parameter> parameters() {
    return parameters;
  }

  @Override
  public LossCounts counts(Batch batch) {
    return new LossCounts(batch.items(), batch.samples().size(), 1);
  }

  @Override
  public double accumulate(Batch batch, LossCounts counts, long seed) {
    double all = counts.items();
    items.add(all);
    double loss = 0;
    int place = 0;
    for (Features features : batch.samples()) {
      seen.add(features.inputIds());
      for (long id : features.inputIds()) {
        if (id < 0 || id >= vocabulary) {
          throw new IllegalArgumentException(
              "embedding: id %d is outside of 0 to %d".formatted(id, vocabulary - 1));
        }
      }
      for (int i = 0; i + 1 < features.inputIds().length; i++, place++) {
        loss += token(features, i, seed, place, all, true);
      }
    }
    return loss / all;
  }

  private double token(Features features, int i, long seed, int place, double all, boolean learns) {
    int from = (int) features.inputIds()[i];
    int label = (int) features.labels()[i + 1];
    double[] scores = new double[vocabulary];
    double[] kept = new double[vocabulary];
    double largest = Double.NEGATIVE_INFINITY;
    for (int v = 0; v < vocabulary; v++) {
      boolean drops = learns && Philox.uniform(seed, place, v) < dropout;
      kept[v] = drops ? 0 : learns ? 1 / (1 - dropout) : 1;
      scores[v] = weights[from * vocabulary + v] * kept[v];
      scores[v] += weights[vocabulary * vocabulary + v];
      largest = Math.max(largest, scores[v]);
    }
    double sum = 0;
    for (double score : scores) {
      sum += Math.exp(score - largest);
    }
    for (int v = 0; v < vocabulary && learns; v++) {
      double d = (Math.exp(scores[v] - largest) / sum - (v == label ? 1 : 0)) / all;
      gradient[from * vocabulary + v] += d * kept[v];
      gradient[vocabulary * vocabulary + v] += d;
    }
    return Math.log(sum) + largest - scores[label];
  }

  @Override
  public Update update(double learningRate, double maxGradNorm) {
    steps++;
    if (poisoned.contains(steps)) {
      gradient[vocabulary * vocabulary] = Double.POSITIVE_INFINITY;
    }
    double norm = Math.sqrt(Arrays.stream(gradient).map(g -> g * g).sum());
    if (!Double.isFinite(norm)) {
      discard();
      return new Update(norm, "table.bias");
    }
    updates++;
    rates.add(learningRate);
    double scale = maxGradNorm > 0 ? Math.min(1, maxGradNorm / (norm + 1e-6)) : 1;
    for (int i = 0; i < weights.length; i++) {
      double g = gradient[i] * scale;
      mean[i] = (float) (0.9 * mean[i] + 0.1 * g);
      square[i] = (float) (0.999 * square[i] + 0.001 * g * g);
      double m = mean[i] / (1 - Math.pow(0.9, updates));
      double v = square[i] / (1 - Math.pow(0.999, updates));
      weights[i] -= (float) (learningRate * m / (Math.sqrt(v) + 1e-8));
    }
    write();
    discard();
    return new Update(norm, null);
  }

  @Override
  public void discard() {
    Arrays.fill(gradient, 0);
  }

  @Override
  public Evaluation evaluate(Batch batch) {
    double loss = 0;
    for (Features features : batch.samples()) {
      for (int i = 0; i + 1 < features.inputIds().length; i++) {
        loss += token(features, i, 0, 0, 1, false);
      }
    }
    return new Evaluation(loss, batch.items(), -1);
  }

  private static TensorFile.Entry entry(String name, float[] values, long... shape) {
    ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    bytes.asFloatBuffer().put(values);
    return new TensorFile.Entry(
        name, DType.F32, shape, MemorySegment.ofArray(bytes.array()), "memory");
  }

  @Override
  public void save(Path directory) throws IOException {
    SafetensorsWriter.write(
        directory.resolve("model.safetensors"),
        List.of(
            entry("table.weight", table.toFloatArray(), vocabulary, vocabulary),
            entry("table.bias", bias.toFloatArray(), vocabulary)),
        Map.of());
  }

  @Override
  public void saveOptimizer(Path file) throws IOException {
    SafetensorsWriter.write(
        file,
        List.of(entry("mean", mean, mean.length), entry("square", square, square.length)),
        Map.of("updates", Long.toString(updates)));
  }

  @Override
  public void restore(Path directory, Path optimizer) throws IOException {
    try (TensorFile file = TensorFile.open(directory.resolve("model.safetensors"))) {
      float[] rows = file.get("table.weight").data().toArray(FLOAT);
      System.arraycopy(rows, 0, weights, 0, rows.length);
      float[] added = file.get("table.bias").data().toArray(FLOAT);
      System.arraycopy(added, 0, weights, rows.length, added.length);
      write();
    }
    if (optimizer != null) {
      try (TensorFile file = TensorFile.open(optimizer)) {
        System.arraycopy(file.get("mean").data().toArray(FLOAT), 0, mean, 0, mean.length);
        System.arraycopy(file.get("square").data().toArray(FLOAT), 0, square, 0, mean.length);
        updates = Long.parseLong(file.metadata().get("updates"));
      }
    }
  }

  @Override
  public void close() {
    table.close();
    bias.close();
  }
}
