package dev.gatun.langchain4j;

import dev.gatun.pipelines.TextClassificationPipeline;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.model.scoring.ScoringModel;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/**
 * A cross-encoder as a {@link ScoringModel}: how well texts answer a query, by the model's one
 * label. Safe for use by several threads.
 */
public final class GatunScoringModel implements ScoringModel {
  private final TextClassificationPipeline pipeline;

  /**
   * A model.
   *
   * @param pipeline reads the query and a text as a pair; whoever loaded it closes it
   */
  public GatunScoringModel(TextClassificationPipeline pipeline) {
    this.pipeline = Objects.requireNonNull(pipeline, "pipeline");
  }

  @Override
  public Response<List<Double>> scoreAll(List<TextSegment> segments, String query) {
    List<Double> scores = new ArrayList<>();
    for (TextSegment segment : segments) {
      scores.add((double) pipeline.classify(query, segment.text(), 1).getFirst().score());
    }
    return Response.from(scores);
  }
}
