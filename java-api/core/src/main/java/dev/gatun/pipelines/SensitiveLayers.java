package dev.gatun.pipelines;

import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.AutoModel;
import dev.gatun.models.EncoderModel;
import dev.gatun.models.Head;
import dev.gatun.nn.Compute;
import dev.gatun.tensor.Device;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightTypes;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Finds the layers of an encoder that lose too much by a narrow storage. Each layer alone is kept
 * narrow, all others as F32, and what that takes off the mean cosine of some texts' vectors, an
 * element of the layer, is its rank. The first ones are kept wider, as few as bring the mean cosine
 * to a target. The same texts give the same layers.
 */
public final class SensitiveLayers {
  /**
   * What was found.
   *
   * @param types storages for loading, {@link EmbeddingPipeline.Options#withWeights(WeightTypes)}
   * @param meanCosine of the texts' vectors to those of F32, as measured with these
   * @param leastCosine of a text
   * @param bits of an element of linear layers, its share of the scales counted
   */
  public record Found(WeightTypes types, double meanCosine, double leastCosine, double bits) {}

  private final Path directory;
  private final List<String> texts;
  private final Compute compute;
  private final List<List<String>> layers;
  private final float[][] exact;

  private SensitiveLayers(
      Path directory, List<String> texts, Compute compute, List<List<String>> layers)
      throws IOException {
    this.directory = directory;
    this.texts = texts;
    this.compute = compute;
    this.layers = layers;
    this.exact = embed(WeightTypes.of(Storage.F32), Compute.EXACT);
  }

  /**
   * Measures on the processor; takes as many loads of the model as it has layers.
   *
   * @param directory of an encoder whose linear layers are floats
   * @param texts as the model will see
   * @param storage of most layers
   * @param wider of the sensitive ones
   * @param compute how products compute
   * @param meanCosine that is wanted, up to 1; where all layers as {@code wider} do not reach it,
   *     all are
   * @return the storages, and what was measured with them
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when a storage does not fit the layers, or there is no text
   */
  public static Found find(
      Path directory,
      List<String> texts,
      Storage storage,
      Storage wider,
      Compute compute,
      double meanCosine)
      throws IOException {
    if (texts.isEmpty() || !(meanCosine <= 1)) {
      throw new IllegalArgumentException(
          "sensitive layers: %d texts and a mean cosine of %s, expected at least one and at most 1"
              .formatted(texts.size(), meanCosine));
    }
    List<List<String>> layers;
    try (EncoderModel model =
        AutoModel.load(directory, Head.BASE, Device.cpu(), Storage.F32, Compute.EXACT)) {
      layers = model.linearLayers();
    }
    return new SensitiveLayers(directory, texts, compute, layers)
        .find(WeightTypes.of(storage), wider, meanCosine);
  }

  private Found find(WeightTypes narrow, Storage wider, double target) throws IOException {
    List<List<String>> ranked = ranked(narrow);
    int low = 0;
    int high = ranked.size();
    while (low < high) {
      int count = (low + high) / 2;
      if (measured(narrow.withWider(wider, first(ranked, count))).meanCosine >= target) {
        high = count;
      } else {
        low = count + 1;
      }
    }
    return measured(narrow.withWider(wider, first(ranked, low)));
  }

  private static List<String> first(List<List<String>> layers, int count) {
    return layers.stream().limit(count).flatMap(List::stream).toList();
  }

  /** The layers, the one first that loses most an element. */
  private List<List<String>> ranked(WeightTypes narrow) throws IOException {
    record Ranked(List<String> layer, double loss) {}
    List<Ranked> all = new ArrayList<>();
    for (List<String> layer : layers) {
      List<String> others =
          layers.stream().filter(l -> !l.equals(layer)).flatMap(List::stream).toList();
      Found alone = measured(narrow.withWider(Storage.F32, others));
      all.add(new Ranked(layer, (1 - alone.meanCosine) / elements(layer)));
    }
    return all.stream()
        .sorted(Comparator.comparingDouble(Ranked::loss).reversed())
        .map(Ranked::layer)
        .toList();
  }

  private Found measured(WeightTypes types) throws IOException {
    boolean dense = types.wider().equals(Storage.F32);
    float[][] got = embed(types, dense ? Compute.EXACT : compute);
    double least = 1;
    double total = 0;
    for (int i = 0; i < got.length; i++) {
      double cosine = 0;
      for (int j = 0; j < got[i].length; j++) {
        cosine += (double) got[i][j] * exact[i][j];
      }
      least = Math.min(least, cosine);
      total += cosine;
    }
    return new Found(types, total / got.length, least, bits(types));
  }

  private float[][] embed(WeightTypes types, Compute by) throws IOException {
    EmbeddingPipeline.Options options =
        EmbeddingPipeline.Options.DEFAULT.withNormalize(true).withWeights(types).withCompute(by);
    try (EmbeddingPipeline pipeline = EmbeddingPipeline.load(directory, options)) {
      return pipeline.embed(texts);
    }
  }

  private double bits(WeightTypes types) throws IOException {
    double bytes = 0;
    double elements = 0;
    try (TensorFile file = TensorFile.open(directory)) {
      for (List<String> layer : layers) {
        Storage storage = types.of(layer);
        for (String name : layer) {
          long[] shape = file.get(name + ".weight").shape();
          bytes += (double) shape[0] * storage.rowBytes(shape[1]);
          elements += (double) shape[0] * shape[1];
        }
      }
    }
    return 8 * bytes / elements;
  }

  private double elements(List<String> layer) throws IOException {
    double elements = 0;
    try (TensorFile file = TensorFile.open(directory)) {
      for (String name : layer) {
        elements += file.get(name + ".weight").elements();
      }
    }
    return elements;
  }
}
