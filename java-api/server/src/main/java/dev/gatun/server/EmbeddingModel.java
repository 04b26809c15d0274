package dev.gatun.server;

import dev.gatun.pipelines.EmbeddingPipeline;
import java.util.List;

/** A model that makes vectors of texts. */
final class EmbeddingModel extends ServedModel {
  private final EmbeddingPipeline pipeline;

  EmbeddingModel(String name, EmbeddingPipeline pipeline) {
    super(name, CALLS_AT_ONCE);
    this.pipeline = pipeline;
  }

  EmbeddingPipeline pipeline() {
    return pipeline;
  }

  @Override
  int maxLength() {
    return pipeline.maxLength();
  }

  @Override
  public List<String> capabilities() {
    return List.of("embeddings");
  }

  @Override
  public void close() {
    pipeline.close();
  }
}
