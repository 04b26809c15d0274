package dev.gatun.cli;

import dev.gatun.pipelines.EmbeddingPipeline;
import dev.gatun.tensor.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntConsumer;

/** Opens models by the library's pipeline. */
final class ModelLoader implements EmbedderLoader {
  @Override
  public Embedder load(Path directory, String device) {
    if (directory != null && !Files.isDirectory(directory)) {
      throw new CliException(directory + ": not a model directory");
    }
    Path found = directory == null ? BundledModel.unpack() : directory;
    try {
      EmbeddingPipeline pipeline =
          EmbeddingPipeline.load(
              found,
              EmbeddingPipeline.Options.DEFAULT
                  .withNormalize(true)
                  .withError()
                  .withDevice(open(device)));
      return new PipelineEmbedder(pipeline, found);
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

  record PipelineEmbedder(EmbeddingPipeline pipeline, Path directory) implements Embedder {
    @Override
    public long[] tokens(String text) {
      return pipeline.inputIds(text, pipeline.documentPrompt());
    }

    @Override
    public int limit() {
      return pipeline.maxLength();
    }

    @Override
    public float[] embed(String text) {
      return pipeline.embed(text, pipeline.queryPrompt());
    }

    @Override
    public float[][] embed(List<TokenizedPassage> passages, IntConsumer done) {
      return pipeline.embedTokens(
          passages.stream().map(TokenizedPassage::inputIds).toList(),
          pipeline.documentPrompt(),
          done);
    }

    @Override
    public String fingerprint() {
      return ModelFingerprint.of(directory);
    }

    @Override
    public void close() {
      pipeline.close();
    }
  }
}
