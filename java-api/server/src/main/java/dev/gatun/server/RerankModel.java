package dev.gatun.server;

import dev.gatun.pipelines.TextClassificationPipeline;
import java.util.List;

/** A cross-encoder, which tells how well a document answers a query. */
final class RerankModel extends ServedModel {
  private final TextClassificationPipeline pipeline;

  RerankModel(String name, TextClassificationPipeline pipeline) {
    super(name, CALLS_AT_ONCE);
    this.pipeline = pipeline;
  }

  TextClassificationPipeline pipeline() {
    return pipeline;
  }

  @Override
  int maxLength() {
    return 0;
  }

  @Override
  public List<String> capabilities() {
    return List.of("rerank");
  }

  @Override
  public void close() {
    pipeline.close();
  }
}
