package dev.gatun.bench;

import dev.gatun.cli.PassageSearch;
import dev.gatun.kernels.api.memory.Storage;
import dev.gatun.nn.Compute;
import dev.gatun.pipelines.EmbeddingPipeline;
import dev.gatun.pipelines.Prompt;
import dev.gatun.tensor.Device;
import dev.gatun.text.Tokenizer;
import java.nio.file.Path;
import java.util.List;

/** Gatun's own pipeline, and the command's own search. */
final class GatunEmbedder implements Embedder {
  private final EmbeddingPipeline pipeline;
  private final PassageSearch search;
  private final Storage weights;

  GatunEmbedder(Path directory, Storage weights, Compute compute) throws Exception {
    this.weights = weights;
    this.pipeline =
        EmbeddingPipeline.load(
            directory,
            EmbeddingPipeline.Options.DEFAULT
                .withMaxLength(Work.MAX_LENGTH)
                .withWeights(weights)
                .withCompute(compute));
    this.search = new PassageSearch(pipeline);
  }

  @Override
  public float[][] embed(long[][] ids) {
    return pipeline.embedTokens(List.of(ids), Prompt.NONE, _ -> {});
  }

  @Override
  public float[][] embed(String text, Tokenizer tokenizer) {
    return new float[][] {pipeline.embed(text)};
  }

  @Override
  public float[][] search(String query, String text, Tokenizer tokenizer) {
    return search.nearest(query, text);
  }

  @Override
  public String version() {
    return "gatun " + weights + " " + Device.cpu().description();
  }

  @Override
  public void close() {
    pipeline.close();
  }
}
