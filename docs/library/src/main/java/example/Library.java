package example;

import dev.gatun.pipelines.EmbeddingPipeline;
import java.nio.file.Path;

/** Prints how near two texts are in meaning: {@code Library MODEL_DIRECTORY TEXT TEXT}. */
public final class Library {
  private Library() {}

  /** Runs the program. */
  public static void main(String[] arguments) throws Exception {
    try (var embeddings = EmbeddingPipeline.load(Path.of(arguments[0]))) {
      float[] first = embeddings.embed(arguments[1]);
      float[] second = embeddings.embed(arguments[2]);
      float cosine = 0;
      for (int i = 0; i < first.length; i++) {
        cosine += first[i] * second[i];
      }
      System.out.printf("%.4f%n", cosine);
    }
  }
}
