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

  /** The configuration of a directory, or that of a file. */
  static Config config(Path source) throws IOException {
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
