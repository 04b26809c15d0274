package dev.gatun.pipelines;

import dev.gatun.models.Head;
import dev.gatun.ops.Norm;
import dev.gatun.pipelines.TextWindows.Scored;
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
  private final TextWindows windows;

  TokenClassificationPipeline(Parts parts) {
    this.parts = parts;
    this.labels = parts.model().config().labels();
    this.windows = new TextWindows(parts, true, Norm::softmax);
  }

  /**
   * Opens the directory of a model for token classification, on the processor.
   *
   * @param directory of the model with its tokenizer
   * @return the pipeline, which the caller closes
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when one is not as expected, or the weights lack the head
   */
  public static TokenClassificationPipeline load(Path directory) throws IOException {
    return new TokenClassificationPipeline(Parts.load(directory, Head.TOKEN_CLASSIFICATION));
  }

  /**
   * {@return the entities of a text in its order, without those labelled {@code O}}
   *
   * @param text of any length
   * @param strategy how labels of tokens become those of pieces
   */
  public List<Entity> entities(String text, AggregationStrategy strategy) {
    return entities(text, strategy, Set.of("O"));
  }

  /**
   * {@return the entities of a text in its order, without those with an ignored label}
   *
   * @param text of any length
   * @param strategy how labels of tokens become those of pieces
   * @param ignored labels as entities have them: without {@code B-} and {@code I-} where the
   *     strategy groups; none to keep all
   */
  public List<Entity> entities(String text, AggregationStrategy strategy, Set<String> ignored) {
    return entities(List.of(text), strategy, ignored).getFirst();
  }

  /**
   * The entities of texts, without those with an ignored label. A text that has more tokens than
   * the model takes is read in windows: of two that share a token the one counts that sees more on
   * both sides of it.
   *
   * @param texts of any length
   * @param strategy how labels of tokens become those of pieces
   * @param ignored labels as entities have them: without {@code B-} and {@code I-} where the
   *     strategy groups; none to keep all
   * @return those of each text, in its order
   */
  public List<List<Entity>> entities(
      List<String> texts, AggregationStrategy strategy, Set<String> ignored) {
    List<List<Entity>> all = new ArrayList<>();
    windows.forEach(
        texts,
        (text, scored) ->
            all.add(
                new EntityGrouping(texts.get(text), labels)
                    .entities(tokens(scored), strategy, ignored)));
    return all;
  }

  /** The tokens of a text, each from one of its windows. */
  private List<TokenScores> tokens(List<Scored> scored) {
    List<TokenScores> tokens = new ArrayList<>();
    int columns = labels.size();
    int lastWord = -1;
    int first = 0;
    for (int w = 0; w < scored.size(); w++) {
      Encoding encoding = scored.get(w).encoding();
      boolean last = w == scored.size() - 1;
      int shared = windows.stride();
      int count = count(encoding);
      int from = w == 0 ? 0 : shared / 2;
      int to = last ? count : count - shared + shared / 2;
      int place = 0;
      for (int i = 0; i < encoding.length(); i++) {
        if (encoding.special()[i]) {
          continue;
        }
        if (place >= from && place < to) {
          int word = encoding.wordIds()[i];
          tokens.add(
              new TokenScores(
                  Arrays.copyOfRange(scored.get(w).scores(), i * columns, (i + 1) * columns),
                  encoding.starts()[i],
                  encoding.ends()[i],
                  first + i,
                  !tokens.isEmpty() && word == lastWord));
          lastWord = word;
        }
        place++;
      }
      first += count - shared;
    }
    return tokens;
  }

  private static int count(Encoding encoding) {
    int count = 0;
    for (boolean special : encoding.special()) {
      count += special ? 0 : 1;
    }
    return count;
  }

  @Override
  public void close() {
    parts.close();
  }
}
