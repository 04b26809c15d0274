package dev.gatun.cli;

import dev.gatun.pipelines.EmbeddingPipeline;
import dev.gatun.tensor.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Opens models by the library's pipeline. */
final class ModelLoader implements EmbedderLoader {
  @Override
  public Embedder load(Path directory, String device, SearchPrompts prompts) {
    if (directory != null && !Files.isDirectory(directory) && !GgufPaths.isGguf(directory)) {
      throw new CliException(directory + ": not a model directory, nor a GGUF file");
    }
    Path found = directory == null ? BundledModel.unpack() : directory;
    try {
      EmbeddingPipeline pipeline =
          EmbeddingPipeline.load(
              found, EmbeddingPipeline.Options.DEFAULT.withError().withDevice(open(device)));
      try {
        return PipelineEmbedder.of(pipeline, found, prompts);
      } catch (CliException e) {
        pipeline.close();
        throw e;
      }
    } catch (IOException e) {
      throw new CliException(found + ": " + e.getMessage(), e);
    }
  }

  @Override
  public String backend(String device) {
    return open(device).description();
  }

  private static Device open(String name) {
    try {
      return Device.of(name);
    } catch (IllegalArgumentException e) {
      throw new CliException(e.getMessage(), e);
    }
  }
}
