package dev.gatun.pipelines;

import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Labels for whole texts, or for pairs of them. */
public final class TextClassificationPipeline implements AutoCloseable {
  private final Parts parts;
  private final String[] labels;
  private final ScoreFunction function;

  TextClassificationPipeline(Parts parts) {
    this.parts = parts;
    this.labels = Labels.of(parts.config(), parts.model().columns());
    this.function = ScoreFunction.of(parts.config(), labels.length);
  }

  /** Opens the directory of a model for sequence classification. */
  public static TextClassificationPipeline load(Path directory) throws IOException {
    return new TextClassificationPipeline(
        Parts.load(directory, TextModels.Head.SEQUENCE_CLASSIFICATION));
  }

  /** The best label of a text. */
  public Classification classify(String text) {
    return classify(text, 1).getFirst();
  }

  /** The best labels of a text, the best first; a text that is too long is an error. */
  public List<Classification> classify(String text, int topK) {
    return best(parts.tokenizer().encode(text, parts.whole()), topK);
  }

  /** The best labels of a pair of texts. */
  public List<Classification> classify(String text, String pair, int topK) {
    EncodeOptions options = parts.whole();
    return best(parts.tokenizer().encode(text, pair, options), topK);
  }

  private List<Classification> best(Encoding encoding, int topK) {
    float[] scores = function.apply(parts.rows(encoding)[0]);
    List<Classification> best = new ArrayList<>();
    for (int i : Scores.top(scores, topK)) {
      best.add(new Classification(labels[i], scores[i]));
    }
    return best;
  }

  @Override
  public void close() {
    parts.close();
  }
}
