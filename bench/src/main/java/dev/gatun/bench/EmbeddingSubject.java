package dev.gatun.bench;

import java.nio.file.Path;

/** A library that embeds token sequences. */
record EmbeddingSubject(Embedder embedder, Path model) implements Subject {
  @Override
  public Task task(String name) throws Exception {
    Work work = Work.of(name, model);
    return new Task() {
      @Override
      public void run() throws Exception {
        work.run(embedder);
      }

      @Override
      public float[] result() throws Exception {
        return Vectors.flat(work.run(embedder));
      }
    };
  }

  @Override
  public String version() {
    return embedder.version();
  }

  @Override
  public void close() {
    embedder.close();
  }
}
