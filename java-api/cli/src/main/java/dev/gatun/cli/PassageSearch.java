package dev.gatun.cli;

import dev.gatun.pipelines.EmbeddingPipeline;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.StringReader;
import java.io.UncheckedIOException;

/**
 * What {@code gatun search} does once its texts are read and its model is loaded: passages, their
 * vectors, and a ranking. For programs that time it.
 */
public final class PassageSearch {
  private final Embedder embedder;
  private final Terminal silent;

  /** A search by a pipeline, which stays the caller's. */
  public PassageSearch(EmbeddingPipeline pipeline) {
    this.embedder = PipelineEmbedder.of(pipeline, null, SearchPrompts.OF_MODEL);
    PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
    this.silent =
        new Terminal(InputStream.nullInputStream(), nowhere, nowhere, false, false, false);
  }

  /** The vectors of a query and of the passage of a text that is nearest to it. */
  public float[][] nearest(String query, String text) {
    float[] vector = embedder.embed(query);
    Ranking ranking = new Ranking(embedder.similarity(), vector, 1);
    try (Progress progress = new Progress("", 0, silent)) {
      Corpus corpus = new Corpus(embedder, null, ranking, progress, _ -> {});
      corpus.addText("text", new StringReader(text));
      corpus.finish();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new float[][] {vector, ranking.best().getFirst().kept().vector()};
  }
}
