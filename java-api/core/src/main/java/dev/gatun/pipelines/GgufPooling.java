package dev.gatun.pipelines;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.Compute;
import dev.gatun.nn.Linear;
import dev.gatun.pipelines.SentenceModule.Feature;
import dev.gatun.tensor.Device;
import dev.gatun.weights.Loader;
import dev.gatun.weights.StoredWeight;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightTypes;
import dev.gatun.weights.WeightsException;
import dev.gatun.weights.gguf.GgufFile;
import dev.gatun.weights.gguf.GgufMetadata;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * What a GGUF file says of the vector of a text.
 *
 * @param file that says it
 * @param mode how tokens become one vector
 */
record GgufPooling(Path file, Pooling mode) {
  private static final int MEAN = 1;
  private static final int CLS = 2;
  private static final int LAST = 3;

  /**
   * Linear layers behind the pooling, in their order; of sentence-transformers' modules 2 and 3.
   */
  private static final List<String> DENSE = List.of("dense_2", "dense_3");

  /** What it says; null where no file says what the modules behind the transformer are. */
  static GgufPooling of(Path model) throws IOException {
    Optional<Path> file = GgufFile.find(model);
    if (file.isEmpty()) {
      return null;
    }
    Pooling mode = GgufFile.readMetadata(file.get(), GgufPooling::mode);
    return mode == null ? null : new GgufPooling(file.get(), mode);
  }

  /** Whether a file says how tokens become one vector, and not that they do not. */
  static boolean isSaid(Path model) throws IOException {
    Optional<Path> file = GgufFile.find(model);
    return file.isPresent()
        && GgufFile.readMetadata(file.get(), keys -> keys.integer(key(keys), 0) != 0);
  }

  private static String key(GgufMetadata keys) {
    return keys.text("general.architecture").orElse("") + ".pooling_type";
  }

  private static Pooling mode(GgufMetadata keys) {
    String key = key(keys);
    if (!keys.has(key) && !key.startsWith("gemma-embedding.")) {
      return null;
    }
    return switch (keys.integer(key, 0)) {
      case MEAN -> Pooling.MEAN;
      case CLS -> Pooling.CLS;
      case LAST -> Pooling.LASTTOKEN;
      default -> throw keys.wrong(key, "1 (mean), 2 (first token) or 3 (last token)");
    };
  }

  /**
   * Loads the modules behind the transformer.
   *
   * @param hidden the features of the transformer's tokens
   */
  List<SentenceModule> load(Device device, int hidden) throws IOException {
    List<SentenceModule> modules = new ArrayList<>();
    modules.add(new SentenceModule.Pool(List.of(mode), true));
    try (GgufFile all = GgufFile.open(file)) {
      int features = hidden;
      for (String name : DENSE) {
        if (all.names().contains(name + ".weight")) {
          SentenceModule dense = dense(all, name, features, device);
          modules.add(dense);
          features = dense.features(features);
        }
      }
    } catch (IOException | RuntimeException e) {
      modules.forEach(SentenceModule::close);
      throw e;
    }
    modules.add(
        new SentenceModule.Normalize(Feature.SENTENCE_EMBEDDING, Feature.SENTENCE_EMBEDDING));
    return modules;
  }

  private static SentenceModule dense(GgufFile all, String name, int features, Device device) {
    long[] shape = all.info(name + ".weight").shape();
    if (shape.length != 2 || shape[1] != features) {
      throw new WeightsException(
          "%s: tensor '%s.weight' has shape %s, expected [out_features, %d], for it is given %d features"
              .formatted(all.keys().source(), name, Arrays.toString(shape), features, features));
    }
    String key = all.keys().text("general.architecture").orElse("") + "." + name + "_feat_";
    requireEqual(all.keys(), key + "in", shape[1], name);
    requireEqual(all.keys(), key + "out", shape[0], name);
    boolean bias = all.names().contains(name + ".bias");
    WeightTypes floats = WeightTypes.of(Storage.F32);
    TensorFile own = new Layer(all, name);
    try (Loader loader =
        new Loader(own, all.keys().source(), device, null, floats, Compute.EXACT)) {
      Linear linear =
          loader.linear(new Loader.Layer(name, shape[0], bias), shape[1], Activation.NONE);
      loader.handOver();
      return new SentenceModule.Dense(
          Feature.SENTENCE_EMBEDDING, Feature.SENTENCE_EMBEDDING, linear, false, null);
    }
  }

  /** One layer's tensors, for what the file's others need is there already. */
  private record Layer(GgufFile all, String name) implements TensorFile {
    @Override
    public Set<String> names() {
      return all.names().stream()
          .filter(each -> each.startsWith(name + "."))
          .collect(Collectors.toUnmodifiableSet());
    }

    @Override
    public Entry get(String tensor) {
      return all.get(tensor);
    }

    @Override
    public Optional<StoredWeight> stored(String tensor) {
      return all.stored(tensor);
    }

    @Override
    public Info info(String tensor) {
      return all.info(tensor);
    }

    @Override
    public Map<String, String> metadata() {
      return all.metadata();
    }

    @Override
    public void close() {
      // The file's owner closes it.
    }
  }

  private static void requireEqual(GgufMetadata keys, String key, long features, String name) {
    if (keys.integer(key, (int) features) != features) {
      throw keys.wrong(key, "%d, as the tensor '%s.weight' has".formatted(features, name));
    }
  }
}
