package dev.gatun.pipelines;

import dev.gatun.models.Head;
import dev.gatun.ops.Norm;
import dev.gatun.tensor.Scope;
import dev.gatun.text.Encoding;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/** Labels for pieces of a text, such as the names in it. */
public final class TokenClassificationPipeline implements AutoCloseable {
  private final Parts parts;
  private final List<String> labels;

  TokenClassificationPipeline(Parts parts) {
    this.parts = parts;
    this.labels = parts.model().config().labels();
  }

  /** Opens the directory of a model for token classification. */
  public static TokenClassificationPipeline load(Path directory) throws IOException {
    return new TokenClassificationPipeline(Parts.load(directory, Head.TOKEN_CLASSIFICATION));
  }

  /** The entities of a text, without those labelled {@code O}. */
  public List<Entity> entities(String text, AggregationStrategy strategy) {
    return entities(text, strategy, Set.of("O"));
  }

  /** The entities of a text, without those with an ignored label. */
  public List<Entity> entities(String text, AggregationStrategy strategy, Set<String> ignored) {
    Encoding encoding = parts.tokenizer().encode(text, parts.whole());
    float[] scores;
    try (Scope _ = Scope.open()) {
      scores = Norm.softmax(parts.scores(encoding)).toFloatArray();
    }
    int columns = labels.size();
    List<TokenScores> tokens = new ArrayList<>();
    for (int i = 0; i < encoding.length(); i++) {
      if (!encoding.special()[i]) {
        boolean continues = i > 0 && encoding.wordIds()[i] == encoding.wordIds()[i - 1];
        tokens.add(
            new TokenScores(
                Arrays.copyOfRange(scores, i * columns, (i + 1) * columns),
                encoding.starts()[i],
                encoding.ends()[i],
                i,
                continues));
      }
    }
    return new EntityGrouping(text, labels).entities(tokens, strategy, ignored);
  }

  @Override
  public void close() {
    parts.close();
  }
}
