package dev.gatun.pipelines;

import dev.gatun.models.Head;
import dev.gatun.ops.Indexing;
import dev.gatun.ops.Layouts;
import dev.gatun.ops.Norm;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.text.EncodeOptions;
import dev.gatun.text.EncodeOptions.PairTruncation;
import dev.gatun.text.Encoding;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;

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

    /**
     * Checks the arguments.
     *
     * @throws IllegalArgumentException naming what does not fit, and what would
     */
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

  /**
   * Opens the directory of a model for question answering, on the processor.
   *
   * @param directory of the model with its tokenizer
   * @return the pipeline, which the caller closes
   * @throws IOException when a file is missing or cannot be read
   * @throws IllegalArgumentException when one is not as expected, or the weights lack the head
   */
  public static QuestionAnsweringPipeline load(Path directory) throws IOException {
    return new QuestionAnsweringPipeline(Parts.load(directory, Head.QUESTION_ANSWERING));
  }

  /**
   * {@return the best answer by {@link Options#DEFAULT}; an empty one of score 0 where there is
   * none}
   *
   * @param question about the context
   * @param context the text that has the answer, of any length
   * @throws IllegalArgumentException as {@link #answers} does
   */
  public Answer answer(String question, String context) {
    List<Answer> answers = answers(question, context, Options.DEFAULT);
    return answers.isEmpty() ? new Answer("", 0, 0, 0) : answers.getFirst();
  }

  /**
   * {@return the best answers, the best first; of long contexts, window by window}
   *
   * @param question about the context
   * @param context the text that has the answers, of any length
   * @param options how they are looked for
   * @throws IllegalArgumentException when the question leaves no room for the context in a window,
   *     of at most 384 tokens, or less than the windows share
   */
  public List<Answer> answers(String question, String context, Options options) {
    int limit = Math.min(LONGEST_WINDOW, parts.maxLength());
    EncodeOptions windows =
        EncodeOptions.DEFAULT
            .withMaxLength(limit)
            .withPairTruncation(PairTruncation.ONLY_SECOND)
            .withStride(Math.min(options.docStride, limit / 2));
    List<AnswerWindow> scored = new ArrayList<>();
    List<Encoding> batch = new ArrayList<>();
    int tokens = 0;
    for (Encoding window : parts.tokenizer().encodeWindows(question, context, windows)) {
      if (!batch.isEmpty() && tokens + window.length() > parts.model().batchTokens()) {
        score(batch, options.alignToWords, scored);
        batch.clear();
        tokens = 0;
      }
      batch.add(window);
      tokens += window.length();
    }
    score(batch, options.alignToWords, scored);
    return new AnswerSpans(options.topK, options.maxAnswerLength, options.handleImpossibleAnswer)
        .answers(context, scored);
  }

  private void score(List<Encoding> batch, boolean alignToWords, List<AnswerWindow> scored) {
    long[][] ids = batch.stream().map(Encoding::ids).toArray(long[][]::new);
    long[][] types = batch.stream().map(Encoding::typeIds).toArray(long[][]::new);
    try (Scope _ = Scope.open()) {
      Tensor scores = parts.model().scores(ids, types);
      int first = 0;
      for (Encoding window : batch) {
        scored.add(scored(scores.slice(0, first, first + window.length()), window, alignToWords));
        first += window.length();
      }
    }
  }

  /**
   * @param scores how a token likes to begin and to end an answer [tokens, 2]
   */
  private static AnswerWindow scored(Tensor scores, Encoding window, boolean alignToWords) {
    int tokens = window.length();
    boolean[] inContext = new boolean[tokens];
    for (int i = 0; i < tokens; i++) {
      inContext[i] = window.sequenceIds()[i] == 1;
    }
    // The first token stands for "no answer"; those of the question take no part.
    long[] among = LongStream.range(0, tokens).filter(i -> i == 0 || inContext[(int) i]).toArray();
    Ids places = Ids.of(scores.device(), "tokens", tokens, among);
    Tensor columns = Layouts.transpose(Indexing.indexSelect(scores, 0, places), 0, 1);
    float[] both = Norm.softmax(Layouts.contiguous(columns)).toFloatArray();
    float[] starts = new float[tokens];
    float[] ends = new float[tokens];
    for (int i = 0; i < among.length; i++) {
      starts[(int) among[i]] = both[i];
      ends[(int) among[i]] = both[among.length + i];
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
