package dev.gatun.pipelines;

import dev.gatun.text.EncodeOptions;
import dev.gatun.text.EncodeOptions.PairTruncation;
import dev.gatun.text.Encoding;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Finds the words of a text that answer a question. */
public final class QuestionAnsweringPipeline implements AutoCloseable {
  private static final int LONGEST_WINDOW = 384;

  /**
   * How answers are looked for.
   *
   * @param topK how many there are at most
   * @param maxAnswerLength the most tokens of an answer
   * @param docStride the tokens that neighbouring windows of a long context share
   * @param handleImpossibleAnswer whether an empty answer competes
   * @param alignToWords whether an answer begins and ends with whole words
   */
  public record Options(
      int topK,
      int maxAnswerLength,
      int docStride,
      boolean handleImpossibleAnswer,
      boolean alignToWords) {
    /** One answer of at most 15 tokens and of whole words; windows share 128 tokens. */
    public static final Options DEFAULT = new Options(1, 15, 128, false, true);

    public Options {
      if (topK < 1 || maxAnswerLength < 1 || docStride < 0) {
        throw new IllegalArgumentException(
            "topK %d and maxAnswerLength %d must be at least 1, docStride %d at least 0"
                .formatted(topK, maxAnswerLength, docStride));
      }
    }
  }

  private final Parts parts;

  QuestionAnsweringPipeline(Parts parts) {
    this.parts = parts;
  }

  /** Opens the directory of a model for question answering. */
  public static QuestionAnsweringPipeline load(Path directory) throws IOException {
    return new QuestionAnsweringPipeline(Parts.load(directory, TextModels.Head.QUESTION_ANSWERING));
  }

  /** The best answer. */
  public Answer answer(String question, String context) {
    List<Answer> answers = answers(question, context, Options.DEFAULT);
    return answers.isEmpty() ? new Answer("", 0, 0, 0) : answers.getFirst();
  }

  /** The best answers, the best first; of long contexts, window by window. */
  public List<Answer> answers(String question, String context, Options options) {
    int limit = Math.min(LONGEST_WINDOW, parts.maxLength());
    EncodeOptions windows =
        EncodeOptions.DEFAULT
            .withMaxLength(limit)
            .withPairTruncation(PairTruncation.ONLY_SECOND)
            .withStride(Math.min(options.docStride, limit / 2));
    List<AnswerWindow> scored = new ArrayList<>();
    for (Encoding window : parts.tokenizer().encodeWindows(question, context, windows)) {
      scored.add(scored(window, options.alignToWords));
    }
    return new AnswerSpans(options.topK, options.maxAnswerLength, options.handleImpossibleAnswer)
        .answers(context, scored);
  }

  private AnswerWindow scored(Encoding window, boolean alignToWords) {
    float[][] rows = parts.rows(window);
    float[] starts = new float[rows.length];
    float[] ends = new float[rows.length];
    boolean[] inContext = new boolean[rows.length];
    for (int i = 0; i < rows.length; i++) {
      starts[i] = rows[i][0];
      ends[i] = rows[i][1];
      inContext[i] = window.sequenceIds()[i] == 1;
    }
    int[] from = window.starts().clone();
    int[] to = window.ends().clone();
    if (alignToWords) {
      widen(window, inContext, from, to);
    }
    return new AnswerWindow(starts, ends, inContext, from, to);
  }

  /** Gives every token of the context the place of its whole word. */
  private static void widen(Encoding window, boolean[] inContext, int[] from, int[] to) {
    int[] words = window.wordIds();
    for (int i = 1; i < from.length; i++) {
      if (inContext[i] && inContext[i - 1] && words[i] == words[i - 1]) {
        from[i] = from[i - 1];
      }
    }
    for (int i = from.length - 2; i >= 0; i--) {
      if (inContext[i] && inContext[i + 1] && words[i] == words[i + 1]) {
        to[i] = to[i + 1];
      }
    }
  }

  @Override
  public void close() {
    parts.close();
  }
}
