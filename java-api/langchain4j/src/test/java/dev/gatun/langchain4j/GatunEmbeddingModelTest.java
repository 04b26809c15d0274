package dev.gatun.langchain4j;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.gatun.pipelines.EmbeddingPipeline;
import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.embedding.EmbeddingModel;
import dev.langchain4j.model.embedding.common.AbstractEmbeddingModelIT;
import dev.langchain4j.model.embedding.listener.EmbeddingModelListener;
import dev.langchain4j.model.embedding.request.EmbeddingInput;
import dev.langchain4j.model.embedding.request.EmbeddingInputType;
import dev.langchain4j.model.embedding.request.EmbeddingRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

/** LangChain4j's own compliance tests of an {@link EmbeddingModel}, and the prompts of a model. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
final class GatunEmbeddingModelTest extends AbstractEmbeddingModelIT {
  private EmbeddingPipeline pipeline;

  @BeforeAll
  void load(@TempDir Path folder) {
    try {
      for (String part : List.of("base", "prompts")) {
        Canal.copy(Canal.GOLDENS.resolve("sentence-models").resolve(part), folder);
      }
      pipeline = EmbeddingPipeline.load(folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @AfterAll
  void close() {
    pipeline.close();
  }

  @Override
  protected List<EmbeddingModel> models() {
    return List.of(new GatunEmbeddingModel(pipeline));
  }

  @Override
  protected EmbeddingModel modelWith(EmbeddingModelListener listener) {
    return new GatunEmbeddingModel(pipeline, "canal", List.of(listener));
  }

  @Override
  protected boolean supportsInputTypeParameter() {
    return true;
  }

  @Override
  protected boolean supportsDimensionsParameter() {
    return false;
  }

  @Override
  protected boolean supportsImageInput() {
    return false;
  }

  @Override
  protected boolean supportsInterleavedInput() {
    return false;
  }

  @Test
  void vectorsAreThoseOfThePipeline() {
    EmbeddingModel model = new GatunEmbeddingModel(pipeline);
    String text = "How do ships climb?";
    assertArrayEquals(pipeline.embed(text), model.embed(text).content().vector());
    assertArrayEquals(
        pipeline.embed(text, pipeline.queryPrompt()),
        model
            .embed(
                EmbeddingRequest.builder()
                    .inputs(List.of(EmbeddingInput.from(text)))
                    .inputType(EmbeddingInputType.QUERY)
                    .build())
            .embeddings()
            .getFirst()
            .vector());
    var all = model.embedAll(List.of(TextSegment.from("a ship"), TextSegment.from(text)));
    assertArrayEquals(pipeline.embed(text), all.content().get(1).vector());
    assertEquals(
        pipeline.inputIds("a ship", pipeline.defaultPrompt()).length
            + pipeline.inputIds(text, pipeline.defaultPrompt()).length,
        all.tokenUsage().inputTokenCount());
    assertEquals(pipeline.dimension(), model.dimension());
  }
}
