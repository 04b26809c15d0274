package dev.gatun.pipelines;

import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;

/**
 * Texts through a head, in batches. One that has more tokens than the model takes goes in windows
 * that share a quarter of their tokens with their neighbours.
 */
final class TextWindows {
  /**
   * A window of a text.
   *
   * @param encoding its tokens
   * @param scores the head's, row by row
   */
  record Scored(Encoding encoding, float[] scores) {}

  private final Parts parts;
  private final boolean ofTokens;
  private final UnaryOperator<Tensor> function;
  private final EncodeOptions options;

  /**
   * @param ofTokens whether the head scores tokens, else it scores windows
   * @param function what is applied to the scores
   */
  TextWindows(Parts parts, boolean ofTokens, UnaryOperator<Tensor> function) {
    this.parts = parts;
    this.ofTokens = ofTokens;
    this.function = function;
    this.options = EncodeOptions.DEFAULT.withMaxLength(parts.maxLength()).withStride(stride(parts));
  }

  private static int stride(Parts parts) {
    return parts.maxLength() / 4;
  }

  /** How many tokens a window shares with the next. */
  int stride() {
    return options.stride();
  }

  /**
   * Scores texts.
   *
   * @param then is given each text's place and its windows, in order
   */
  void forEach(List<String> texts, BiConsumer<Integer, List<Scored>> then) {
    List<List<Encoding>> waiting = new ArrayList<>();
    int tokens = 0;
    for (int i = 0; i < texts.size(); i++) {
      int at = i;
      String text = Objects.requireNonNull(texts.get(i), () -> "texts[%d] is null".formatted(at));
      List<Encoding> windows = parts.tokenizer().encodeWindows(text, options);
      waiting.add(windows);
      tokens += windows.stream().mapToInt(Encoding::length).sum();
      if (tokens >= parts.model().batchTokens()) {
        score(waiting, i + 1 - waiting.size(), then);
        waiting.clear();
        tokens = 0;
      }
    }
    score(waiting, texts.size() - waiting.size(), then);
  }

  private void score(
      List<List<Encoding>> texts, int first, BiConsumer<Integer, List<Scored>> then) {
    List<Encoding> all = texts.stream().flatMap(List::stream).toList();
    List<Scored> scored = new ArrayList<>();
    int begin = 0;
    while (begin < all.size()) {
      int end = begin;
      int tokens = 0;
      while (end < all.size()
          && (end == begin || tokens + all.get(end).length() <= parts.model().batchTokens())) {
        tokens += all.get(end++).length();
      }
      scoreBatch(all.subList(begin, end), scored);
      begin = end;
    }
    int next = 0;
    for (int i = 0; i < texts.size(); i++) {
      then.accept(first + i, scored.subList(next, next += texts.get(i).size()));
    }
  }

  private void scoreBatch(List<Encoding> batch, List<Scored> to) {
    long[][] ids = batch.stream().map(Encoding::ids).toArray(long[][]::new);
    long[][] types = batch.stream().map(Encoding::typeIds).toArray(long[][]::new);
    float[] values;
    int columns;
    try (Scope _ = Scope.open()) {
      Tensor scores = function.apply(parts.model().scores(ids, types));
      columns = (int) scores.size(1);
      values = scores.toFloatArray();
    }
    int at = 0;
    for (Encoding each : batch) {
      int count = (ofTokens ? each.length() : 1) * columns;
      to.add(new Scored(each, Arrays.copyOfRange(values, at, at + count)));
      at += count;
    }
  }
}
