package dev.gatun.models;

import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.tensor.Device;
import dev.gatun.weights.ParameterLoader;
import dev.gatun.weights.TensorFile;
import dev.gatun.weights.WeightsException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/** Where a model to be trained comes from: a directory, or a configuration alone. */
final class TrainingSource {
  private TrainingSource() {}

  private static final String VOCABULARY = "vocab_size";
  private static final String TARGETS = "decoder_vocab_size";

  /** The configuration of a directory, or that of a file, with the vocabulary that is wanted. */
  static Config config(Path source, TrainingSettings settings) throws IOException {
    Config config = read(source);
    int wanted = settings.vocabulary();
    if (wanted == 0 || isNew(source)) {
      return wanted == 0 ? config : config.with(VOCABULARY, wanted);
    }
    int given = config.positive(VOCABULARY);
    if (wanted < given) {
      throw new IllegalArgumentException(
          "%s: its vocabulary has %d tokens, %d are wanted, expected no fewer"
              .formatted(source, given, wanted));
    }
    Config grown = config.with(VOCABULARY, wanted);
    if (!config.has(TARGETS)) {
      return grown;
    }
    if (config.positive(TARGETS) != given) {
      throw new IllegalArgumentException(
          "%s: targets have a vocabulary of their own, of %d tokens, expected one for both to grow"
              .formatted(source, config.positive(TARGETS)));
    }
    return grown.with(TARGETS, wanted);
  }

  private static Config read(Path source) throws IOException {
    return isNew(source) ? Config.of(source) : Config.read(source);
  }

  private static boolean isNew(Path source) {
    return Files.isRegularFile(source) && source.getFileName().toString().endsWith(".json");
  }

  /** A model of parameters. */
  static <M> M make(
      Path source,
      Config config,
      boolean withHead,
      Device device,
      TrainingSettings settings,
      Function<Weights, M> model)
      throws IOException {
    if (QuantizationConfig.of(config) != null) {
      throw new WeightsException(
          "%s: its weights are quantised, expected floats to train".formatted(source));
    }
    NewModel begun = new NewModel(config, withHead, settings.seed());
    try (TensorFile file = isNew(source) ? new None() : TensorFile.open(source);
        ParameterLoader loader =
            new ParameterLoader(
                file, source.toString(), device, Storage.of(settings.products()), begun)) {
      if (settings.vocabulary() != 0 && !isNew(source)) {
        loader.grow(read(source).positive(VOCABULARY), settings.vocabulary());
      }
      return model.apply(new Weights(loader));
    }
  }

  /** What a new model has of files. */
  private static final class None implements TensorFile {
    @Override
    public Set<String> names() {
      return Set.of();
    }

    @Override
    public Entry get(String name) {
      throw new WeightsException("a new model has no tensors, " + name + " was asked for");
    }

    @Override
    public Map<String, String> metadata() {
      return Map.of();
    }

    @Override
    public void close() {}
  }
}
