package dev.gatun.cli;

import dev.gatun.pipelines.EmbeddingPipeline;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.util.List;

/**
 * What {@code gatun search} does once its texts are read and its model is loaded: passages, their
 * vectors, and a ranking. For programs that time it.
 */
public final class PassageSearch {
  private final Embedder embedder;
  private final Terminal silent;

  /** A search by a pipeline, which stays the caller's. */
  public PassageSearch(EmbeddingPipeline pipeline) {
    this.embedder = new ModelLoader.PipelineEmbedder(pipeline, null);
    PrintStream nowhere = new PrintStream(OutputStream.nullOutputStream());
    this.silent =
        new Terminal(InputStream.nullInputStream(), nowhere, nowhere, false, false, false);
  }

  /** The vectors of a query and of the passage of a text that is nearest to it. */
  public float[][] nearest(String query, String text) {
    Corpus corpus = new Corpus(embedder, null, silent, _ -> {});
    corpus.addText("text", text);
    List<Located> passages = corpus.embed();
    float[] vector = embedder.embed(query);
    Passage best = Ranking.top(vector, passages, 1).getFirst().passage();
    return passages.stream()
        .filter(each -> each.kept().passage() == best)
        .map(each -> new float[][] {vector, each.kept().vector()})
        .findFirst()
        .orElseThrow();
  }
}
