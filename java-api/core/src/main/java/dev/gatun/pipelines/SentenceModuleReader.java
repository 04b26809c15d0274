package dev.gatun.pipelines;

import dev.gatun.files.Warnings;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.models.Config;
import dev.gatun.nn.Compute;
import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.pipelines.SentenceModule.Feature;
import dev.gatun.tensor.Device;
import dev.gatun.weights.Loader;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightTypes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * Reads one module from its folder.
 *
 * @param modules the file that lists it
 * @param entry what that says of it
 * @param device where its weights go
 */
record SentenceModuleReader(Path modules, SentenceModules.Entry entry, Device device) {
  /** What is read. */
  static final List<String> KINDS =
      List.of("Transformer", "Pooling", "Dense", "LayerNorm", "Normalize", "Dropout");

  /**
   * Reads the module.
   *
   * @param features of each {@link Feature} before it, 0 for one that is not there
   * @return null for a module that changes nothing
   */
  SentenceModule read(int[] features) throws IOException {
    SentenceModule module =
        switch (entry.kind()) {
          case "Pooling" -> pooling(features);
          case "Dense" -> dense(features);
          case "LayerNorm" -> layerNorm(features);
          case "Normalize" -> normalize();
          case "Dropout" -> null; // of training
          case "Transformer" ->
              throw new IllegalArgumentException(
                  modules + ": a second Transformer, expected one, the first module");
          default ->
              throw new IllegalArgumentException(
                  "%s: module %s (%s) is not known, expected one of %s"
                      .formatted(
                          modules,
                          entry.kind(),
                          entry.path().getFileName(),
                          String.join(", ", KINDS)));
        };
    if (module != null && features[module.from().ordinal()] == 0) {
      module.close();
      throw new IllegalArgumentException(
          "%s: module %s (%s) reads %s, which no module before it makes"
              .formatted(
                  modules,
                  entry.kind(),
                  entry.path().getFileName(),
                  module.from().name().toLowerCase(Locale.ROOT)));
    }
    return module;
  }

  private Config config() throws IOException {
    Path file = entry.path().resolve("config.json");
    if (!Files.exists(file)) {
      throw new NoSuchFileException(
          file.toString(), null, "%s lists its folder as %s".formatted(modules, entry.kind()));
    }
    return Config.of(file);
  }

  private SentenceModule pooling(int[] features) throws IOException {
    Config config = config();
    List<String> flags = Arrays.stream(Pooling.values()).map(Pooling::flag).toList();
    config.warnOfOthers(
        List.of(
            "word_embedding_dimension", "embedding_dimension", "pooling_mode", "include_prompt"),
        flags);
    int hidden = features[Feature.TOKEN_EMBEDDINGS.ordinal()];
    for (String key : List.of("word_embedding_dimension", "embedding_dimension")) {
      if (config.has(key) && config.integer(key) != hidden) {
        Warnings.ignored(
            "%s: '%s' is %d, but tokens have %d features, which counts"
                .formatted(config.file(), key, config.integer(key), hidden));
      }
    }
    List<Pooling> modes = new ArrayList<>();
    if (config.has("pooling_mode")) {
      for (String name : config.texts("pooling_mode")) {
        Pooling mode = Pooling.of(name);
        if (mode == null) {
          throw config.wrong("pooling_mode", "some of " + Pooling.names());
        }
        modes.add(mode);
      }
    } else {
      for (Pooling mode : Pooling.values()) {
        if (config.flag(mode.flag(), false)) {
          modes.add(mode);
        }
      }
    }
    return new SentenceModule.Pool(
        modes.isEmpty() ? List.of(Pooling.MEAN) : List.copyOf(modes),
        config.flag("include_prompt", true));
  }

  private SentenceModule dense(int[] features) throws IOException {
    Config config = config();
    config.warnOfOthers(
        List.of(
            "in_features",
            "out_features",
            "bias",
            "activation_function",
            "module_input_name",
            "module_output_name",
            "use_residual"));
    Feature from = feature(config, "module_input_name", Feature.SENTENCE_EMBEDDING);
    Feature to = feature(config, "module_output_name", from);
    requireOneKind(config, from, to);
    int in = config.positive("in_features");
    int out = config.positive("out_features");
    requireFeatures(config, "in_features", features[from.ordinal()]);
    boolean residual = config.flag("use_residual", false);
    Activation activation = TorchActivations.of(config, "activation_function", Activation.TANH);
    try (TensorFile file = TensorFile.open(entry.path());
        Loader loader = loader(file)) {
      Linear linear =
          loader.linear(new Loader.Layer("linear", out, config.flag("bias", true)), in, activation);
      Linear projection =
          residual && in != out
              ? loader.linear(new Loader.Layer("residual", out, false), in, Activation.NONE)
              : null;
      loader.unused(_ -> false);
      loader.handOver();
      return new SentenceModule.Dense(from, to, linear, residual, projection);
    }
  }

  private SentenceModule layerNorm(int[] features) throws IOException {
    Config config = config();
    config.warnOfOthers(List.of("dimension"));
    int size = config.positive("dimension");
    requireFeatures(config, "dimension", features[Feature.SENTENCE_EMBEDDING.ordinal()]);
    try (TensorFile file = TensorFile.open(entry.path());
        Loader loader = loader(file)) {
      LayerNorm norm =
          new LayerNorm(
              loader.tensor("norm.weight", size), loader.tensor("norm.bias", size), 1e-5f);
      loader.unused(_ -> false);
      loader.handOver();
      return new SentenceModule.Normed(norm);
    }
  }

  /** A folder of its own is of newer versions. */
  private SentenceModule normalize() throws IOException {
    Feature from = Feature.SENTENCE_EMBEDDING;
    Feature to = from;
    if (Files.exists(entry.path().resolve("config.json"))
        && !entry.path().equals(modules.getParent())) {
      Config config = config();
      config.warnOfOthers(List.of("module_input_name", "module_output_name"));
      from = feature(config, "module_input_name", from);
      to = feature(config, "module_output_name", from);
      requireOneKind(config, from, to);
    }
    return new SentenceModule.Normalize(from, to);
  }

  private Loader loader(TensorFile file) {
    return new Loader(
        file, entry.path().toString(), device, null, WeightTypes.of(Storage.F32), Compute.EXACT);
  }

  private static Feature feature(Config config, String key, Feature otherwise) {
    String name = config.text(key, null);
    return switch (name) {
      case null -> otherwise;
      case "token_embeddings" -> Feature.TOKEN_EMBEDDINGS;
      case "sentence_embedding" -> Feature.SENTENCE_EMBEDDING;
      default -> throw config.wrong(key, "token_embeddings or sentence_embedding");
    };
  }

  private static void requireOneKind(Config config, Feature from, Feature to) {
    if (from != to) {
      throw config.wrong(
          "module_output_name", "what 'module_input_name' is: only Pooling makes one of many");
    }
  }

  private static void requireFeatures(Config config, String key, int features) {
    if (features > 0 && config.has(key) && config.integer(key) != features) {
      throw config.wrong(key, features + ", the features that it is given");
    }
  }
}
