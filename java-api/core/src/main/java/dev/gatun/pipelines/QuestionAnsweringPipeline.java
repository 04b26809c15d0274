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
   */
  public record Options(
      int topK, int maxAnswerLength, int docStride, boolean handleImpossibleAnswer) {
    /** One answer of at most 15 tokens; windows share 128 tokens. */
    public static final Options DEFAULT = new Options(1, 15, 128, false);

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
      scored.add(scored(window));
    }
    return new AnswerSpans(options.topK, options.maxAnswerLength, options.handleImpossibleAnswer)
        .answers(context, scored);
  }

  private AnswerWindow scored(Encoding window) {
    float[][] rows = parts.rows(window);
    float[] starts = new float[rows.length];
    float[] ends = new float[rows.length];
    boolean[] inContext = new boolean[rows.length];
    for (int i = 0; i < rows.length; i++) {
      starts[i] = rows[i][0];
      ends[i] = rows[i][1];
      inContext[i] = window.sequenceIds()[i] == 1;
    }
    return new AnswerWindow(starts, ends, inContext, window.starts(), window.ends());
  }

  @Override
  public void close() {
    parts.close();
  }
}
