package dev.gatun.pipelines;

import dev.gatun.models.Head;
import dev.gatun.ops.Reductions;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Labels for whole texts, or for pairs of them. */
public final class TextClassificationPipeline implements AutoCloseable {
  private final Parts parts;
  private final List<String> labels;
  private final ScoreFunction function;

  TextClassificationPipeline(Parts parts) {
    this.parts = parts;
    this.labels = parts.model().config().labels();
    this.function = ScoreFunction.of(parts.model().config());
  }

  /** Opens the directory of a model for sequence classification. */
  public static TextClassificationPipeline load(Path directory) throws IOException {
    Parts parts = Parts.load(directory, Head.SEQUENCE_CLASSIFICATION);
    try {
      return new TextClassificationPipeline(parts);
    } catch (RuntimeException e) {
      parts.close();
      throw e;
    }
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
    try (Scope _ = Scope.open()) {
      Tensor scores = function.apply(parts.scores(encoding));
      Reductions.TopK top = Reductions.topk(scores, Math.min(topK, labels.size()));
      float[] values = top.values().toFloatArray();
      long[] indices = top.indices().toLongArray();
      List<Classification> best = new ArrayList<>();
      for (int i = 0; i < values.length; i++) {
        best.add(new Classification(labels.get((int) indices[i]), values[i]));
      }
      return best;
    }
  }

  @Override
  public void close() {
    parts.close();
  }
}
