package dev.gatun.langchain4j;

import dev.gatun.pipelines.EmbeddingPipeline;
import dev.gatun.pipelines.Prompt;
import dev.langchain4j.data.embedding.Embedding;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import dev.langchain4j.model.embedding.request.EmbeddingInput;
import dev.langchain4j.model.embedding.request.EmbeddingInputType;
import dev.langchain4j.model.embedding.request.EmbeddingParameter;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import dev.langchain4j.model.embedding.request.EmbeddingRequestParameters;
import dev.langchain4j.model.embedding.response.EmbeddingResponse;
import dev.langchain4j.model.output.TokenUsage;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/**
 * An {@link EmbeddingPipeline} as an {@link EmbeddingModel}. The input type chooses the model's
 * prompt for queries or documents. Safe for use by several threads.
 */
public final class GatunEmbeddingModel implements EmbeddingModel {
  private final EmbeddingPipeline pipeline;
  private final String modelName;
  private final List<EmbeddingModelListener> listeners;

  /**
   * A model.
   *
   * @param pipeline makes the vectors; whoever loaded it closes it
   */
  public GatunEmbeddingModel(EmbeddingPipeline pipeline) {
    this(pipeline, "gatun", List.of());
  }

  /**
   * A model.
   *
   * @param pipeline makes the vectors; whoever loaded it closes it
   * @param modelName what answers call it
   * @param listeners who is told of requests and answers
   */
  public GatunEmbeddingModel(
      EmbeddingPipeline pipeline, String modelName, List<EmbeddingModelListener> listeners) {
    this.pipeline = Objects.requireNonNull(pipeline, "pipeline");
    this.modelName = Objects.requireNonNull(modelName, "modelName");
    this.listeners = List.copyOf(listeners);
  }

  @Override
  public Set<EmbeddingParameter<?>> supportedParameters() {
    return Set.of(EmbeddingRequestParameters.INPUT_TYPE);
  }

  @Override
  public List<EmbeddingModelListener> listeners() {
    return listeners;
  }

  @Override
  public EmbeddingResponse doEmbed(EmbeddingRequest request) {
    Prompt prompt = prompt(request.inputType());
    List<String> texts = request.inputs().stream().map(EmbeddingInput::text).toList();
    int tokens = 0;
    for (String text : texts) {
      tokens += Math.min(pipeline.inputIds(text, prompt).length, pipeline.maxLength());
    }
    List<Embedding> embeddings = new ArrayList<>();
    for (float[] vector : pipeline.embed(texts, prompt)) {
      embeddings.add(Embedding.from(vector));
    }
    return EmbeddingResponse.builder()
        .embeddings(embeddings)
        .modelName(modelName)
        .tokenUsage(new TokenUsage(tokens))
        .build();
  }

  private Prompt prompt(EmbeddingInputType type) {
    if (type == null) {
      return pipeline.defaultPrompt();
    }
    return type == EmbeddingInputType.QUERY ? pipeline.queryPrompt() : pipeline.documentPrompt();
  }

  @Override
  public int dimension() {
    return pipeline.dimension();
  }

  @Override
  public String modelName() {
    return modelName;
  }
}
