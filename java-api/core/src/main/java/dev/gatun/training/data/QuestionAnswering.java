package dev.gatun.training.data;

import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import dev.gatun.text.Tokenizer;
import java.util.List;
import java.util.Map;

/** Samples of {@link Collator#questionAnswering}. */
record QuestionAnswering(Tokenizer tokenizer, int maxLength, int stride) implements Collator {
  private static final String ANSWERS = "answers";

  @Override
  public Samples samples(Dataset data) {
    EncodeOptions options =
        EncodeOptions.DEFAULT
            .withMaxLength(maxLength)
            .withStride(stride)
            .withPairTruncation(EncodeOptions.PairTruncation.ONLY_SECOND);
    TextWindows windows =
        new TextWindows(
            data,
            example -> {
              answer(example);
              example.requireNoWeight("question answering");
              return tokenizer.encodeWindows(
                  example.text("question"), example.text("context"), options);
            });
    return new Samples() {
      @Override
      public int size() {
        return windows.size();
      }

      @Override
      public Features get(int index, Draws draws) {
        TextWindows.Window window = windows.get(index);
        return features(window.encoding(), answer(window.example()));
      }
    };
  }

  /** An answer's characters in its context: from begin to before end; null for none. */
  private record Span(int begin, int end) {}

  private static Span answer(Example example) {
    String context = example.text("context");
    if (!(example.value(ANSWERS) instanceof Map<?, ?> answers)
        || !(answers.get("text") instanceof List<?> texts)
        || !(answers.get("answer_start") instanceof List<?> starts)
        || texts.size() != starts.size()) {
      throw example.wrong(
          ANSWERS, "an object with lists 'text' and 'answer_start' of the same length");
    }
    if (texts.isEmpty()) {
      return null;
    }
    if (!(texts.getFirst() instanceof String text)
        || !(starts.getFirst() instanceof Integer || starts.getFirst() instanceof Long)) {
      throw example.wrong(ANSWERS, "texts and whole numbers");
    }
    long at = ((Number) starts.getFirst()).longValue();
    int points = context.codePointCount(0, context.length());
    int begin = at < 0 || at > points ? -1 : context.offsetByCodePoints(0, (int) at);
    if (begin < 0 || text.isEmpty() || !context.startsWith(text, begin)) {
      throw new DatasetException(
          "%s: the answer '%s' is not in the context at character %d"
              .formatted(example.where(), text, at));
    }
    return new Span(begin, begin + text.length());
  }

  private static Features features(Encoding text, Span answer) {
    int first = -1;
    int last = -1;
    int begin = Integer.MAX_VALUE;
    int end = -1;
    for (int i = 0; i < text.length(); i++) {
      if (text.sequenceIds()[i] != 1) {
        continue;
      }
      begin = Math.min(begin, text.starts()[i]);
      end = Math.max(end, text.ends()[i]);
      boolean inside =
          answer != null && text.ends()[i] > answer.begin() && text.starts()[i] < answer.end();
      if (inside) {
        first = first < 0 ? i : first;
        last = i;
      }
    }
    boolean whole = first >= 0 && begin <= answer.begin() && end >= answer.end();
    return Features.ofAnswer(text.ids(), text.typeIds(), whole ? first : 0, whole ? last : 0);
  }
}
