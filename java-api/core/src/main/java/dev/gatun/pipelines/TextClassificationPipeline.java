package dev.gatun.pipelines;

import dev.gatun.models.Config;
import dev.gatun.models.Head;
import dev.gatun.pipelines.TextWindows.Scored;
import dev.gatun.tensor.Scope;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** Labels for whole texts, or for pairs of them. */
public final class TextClassificationPipeline implements AutoCloseable {
  private final Parts parts;
  private final List<String> labels;
  private final ScoreFunction function;
  private final TextWindows windows;

  TextClassificationPipeline(Parts parts) {
    this(parts, ScoreFunction.of(parts.model().config(), null));
  }

  private TextClassificationPipeline(Parts parts, ScoreFunction function) {
    this.parts = parts;
    this.labels = parts.model().config().labels();
    this.function = function;
    this.windows = new TextWindows(parts, false, function::apply);
  }

  /**
   * Opens the directory of a model for sequence classification, a cross-encoder of
   * sentence-transformers among them, whose own activation its scores go through.
   *
   * @param directory of the model with its tokenizer
   * @return the pipeline, on the processor, which the caller closes
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when one is not as expected, or the weights lack the head
   */
  public static TextClassificationPipeline load(Path directory) throws IOException {
    Path file = directory.resolve(SentenceConfig.FILE);
    Config crossEncoder = Files.exists(file) ? Config.of(file) : null;
    Parts parts = Parts.load(directory, Head.SEQUENCE_CLASSIFICATION);
    try {
      return new TextClassificationPipeline(
          parts, ScoreFunction.of(parts.model().config(), crossEncoder));
    } catch (RuntimeException e) {
      parts.close();
      throw e;
    }
  }

  /**
   * {@return the best label of a text}
   *
   * @param text of any length; see {@link #classify(List, int)}
   */
  public Classification classify(String text) {
    return classify(text, 1).getFirst();
  }

  /**
   * {@return the best labels of a text, the best first; see {@link #classify(List, int)}}
   *
   * @param text of any length
   * @param topK how many labels, from 0; all where there are fewer
   */
  public List<Classification> classify(String text, int topK) {
    return classify(List.of(text), topK).getFirst();
  }

  /**
   * The best labels of texts, the best first. A text that has more tokens than the model takes is
   * read in windows: its scores are the mean of theirs, weighted by their tokens.
   *
   * @param texts of any length
   * @param topK how many labels of each, from 0; all where there are fewer
   * @return those of each text, in their order
   */
  public List<List<Classification>> classify(List<String> texts, int topK) {
    List<List<Classification>> all = new ArrayList<>();
    windows.forEach(texts, (_, scored) -> all.add(best(mean(scored), topK)));
    return all;
  }

  /**
   * {@return the best labels of a pair of texts, the best first}
   *
   * @param text the first
   * @param pair the second, such as a passage to a query
   * @param topK how many labels, from 0; all where there are fewer
   * @throws IllegalArgumentException when both have more tokens together than the model takes
   */
  public List<Classification> classify(String text, String pair, int topK) {
    EncodeOptions options = parts.whole();
    Encoding encoding = parts.tokenizer().encode(text, pair, options);
    try (Scope _ = Scope.open()) {
      return best(function.apply(parts.scores(encoding)).toFloatArray(), topK);
    }
  }

  private static float[] mean(List<Scored> windows) {
    if (windows.size() == 1) {
      return windows.getFirst().scores();
    }
    double[] sums = new double[windows.getFirst().scores().length];
    double weights = 0;
    for (Scored window : windows) {
      int tokens = 0;
      for (boolean special : window.encoding().special()) {
        tokens += special ? 0 : 1;
      }
      for (int i = 0; i < sums.length; i++) {
        sums[i] += (double) tokens * window.scores()[i];
      }
      weights += tokens;
    }
    float[] mean = new float[sums.length];
    for (int i = 0; i < mean.length; i++) {
      mean[i] = (float) (sums[i] / weights);
    }
    return mean;
  }

  private List<Classification> best(float[] scores, int topK) {
    return IntStream.range(0, labels.size())
        .boxed()
        .sorted(Comparator.comparing((Integer i) -> scores[i]).reversed())
        .limit(topK)
        .map(i -> new Classification(labels.get(i), scores[i]))
        .toList();
  }

  @Override
  public void close() {
    parts.close();
  }
}
