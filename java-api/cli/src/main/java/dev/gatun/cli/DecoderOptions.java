package dev.gatun.cli;

import dev.gatun.generation.GeneratorOptions;
import dev.gatun.kernels.api.memory.Storage;
import java.nio.file.Files;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Which model runs, where, and how its weights are kept. */
final class DecoderOptions {
  @Option(
      names = "--model",
      paramLabel = "DIR",
      required = true,
      description = "The model's Hugging Face directory, or its GGUF file.")
  private Path model;

  @Mixin private PlacementOptions placement;

  Path directory() {
    if (!Files.isDirectory(model) && !GgufPaths.isGguf(model)) {
      throw new CliException(model + ": not a model directory, nor a GGUF file");
    }
    return model;
  }

  GeneratorOptions options() {
    return placement.options(null);
  }

  /** The same with the most bytes of keys and values; null for as many as the context takes. */
  GeneratorOptions options(Long cacheBytes) {
    return placement.options(cacheBytes);
  }

  Storage storage() {
    return placement.storage();
  }
}
