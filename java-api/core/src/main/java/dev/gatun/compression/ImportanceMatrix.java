package dev.gatun.compression;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.models.AutoModel;
import dev.gatun.models.CausalLm;
import dev.gatun.models.CausalLmInputs;
import dev.gatun.models.CausalLmOutput;
import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.LoadListener;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntConsumer;

/**
 * How much the columns of a decoder's linear weights matter on a text: the mean square of what each
 * is multiplied by. Layers of experts have none.
 */
public final class ImportanceMatrix {
  private static final int WINDOW = 512;

  private final Map<String, double[]> sums = new HashMap<>();
  private final Map<String, Long> counts = new HashMap<>();

  private ImportanceMatrix() {}

  /**
   * Runs a decoder over a text, windows one after another.
   *
   * @param model a Hugging Face directory, or a GGUF file
   * @param ids the text's tokens
   * @param listener is told how far loading is; null for nobody
   * @param progress is told the number of tokens seen so far
   * @return the mean squares over all of the text's tokens
   * @throws IllegalArgumentException for a text without tokens
   * @throws IOException if a file of the model is missing or cannot be read
   */
  public static ImportanceMatrix of(
      Path model, int[] ids, LoadListener listener, IntConsumer progress) throws IOException {
    if (ids.length == 0) {
      throw new IllegalArgumentException("text: it has no tokens, expected one at least");
    }
    ImportanceMatrix matrix = new ImportanceMatrix();
    try (CausalLm observed = AutoModel.loadObserved(model, listener, matrix::add)) {
      int window = Math.min(WINDOW, observed.maxLength());
      for (int from = 0; from < ids.length; from += window) {
        int to = Math.min(ids.length, from + window);
        long[] part = Arrays.stream(ids, from, to).asLongStream().toArray();
        try (CausalLmOutput _ = observed.forward(CausalLmInputs.of(part))) {
          progress.accept(to);
        }
      }
    }
    return matrix;
  }

  private void add(List<String> layers, Tensor x) {
    float[] values;
    try (Scope _ = Scope.open()) {
      values = (x.dtype() == DType.F32 ? x : Elementwise.cast(x, DType.F32)).toFloatArray();
    }
    int columns = Math.toIntExact(x.size(-1));
    double[] squares = new double[columns];
    for (int i = 0; i < values.length; i++) {
      squares[i % columns] += (double) values[i] * values[i];
    }
    for (String layer : layers) {
      double[] sum = sums.computeIfAbsent(layer, _ -> new double[columns]);
      for (int i = 0; i < columns; i++) {
        sum[i] += squares[i];
      }
      counts.merge(layer, (long) values.length / columns, Long::sum);
    }
  }

  /**
   * {@return the mean squares [in_features] of a layer's inputs; empty where none were seen}
   *
   * @param layer its name as a Hugging Face file has it, without {@code .weight}
   */
  public Optional<float[]> of(String layer) {
    double[] sum = sums.get(layer);
    if (sum == null) {
      return Optional.empty();
    }
    float[] means = new float[sum.length];
    for (int i = 0; i < means.length; i++) {
      means[i] = (float) (sum[i] / counts.get(layer));
    }
    return Optional.of(means);
  }

  /** {@return the number of layers whose inputs were seen} */
  public int layers() {
    return sums.size();
  }
}
