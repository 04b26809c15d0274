package dev.gatun.cli;

import dev.gatun.pipelines.EmbeddingPipeline;
import dev.gatun.pipelines.Prompt;
import dev.gatun.pipelines.Similarity;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * A model by the library's pipeline.
 *
 * @param pipeline closed with it
 * @param directory of the model; null where nobody asks for the fingerprint
 * @param query what is put before the query
 * @param passage what is put before passages
 */
record PipelineEmbedder(EmbeddingPipeline pipeline, Path directory, Prompt query, Prompt passage)
    implements Embedder {

  /** An embedder with the prompts of these names. */
  static PipelineEmbedder of(EmbeddingPipeline pipeline, Path directory, SearchPrompts prompts) {
    return new PipelineEmbedder(
        pipeline, directory, prompts.query(pipeline), prompts.passage(pipeline));
  }

  @Override
  public long[] tokens(String text) {
    return pipeline.inputIds(text, passage);
  }

  @Override
  public int queryTokens(String text) {
    return pipeline.inputIds(text, query).length;
  }

  @Override
  public int limit() {
    return pipeline.maxLength();
  }

  @Override
  public float[] embed(String text) {
    return pipeline.embed(text, query);
  }

  @Override
  public float[][] embed(List<TokenizedPassage> passages, IntConsumer done) {
    return pipeline.embedTokens(
        passages.stream().map(TokenizedPassage::inputIds).toList(), passage, done);
  }

  @Override
  public Similarity similarity() {
    return pipeline.similarity();
  }

  @Override
  public String fingerprint() {
    String model = ModelFingerprint.of(directory);
    return passage.text().isEmpty()
        ? model
        : Digests.hex(
            Digests.sha256((model + "\n" + passage.text()).getBytes(StandardCharsets.UTF_8)));
  }

  @Override
  public void close() {
    pipeline.close();
  }
}
