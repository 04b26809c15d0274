package dev.gatun.training.data;

import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import dev.gatun.text.Tokenizer;
import java.util.Arrays;
import java.util.List;

/** Samples of {@link Collator#tokenClassification}. */
record TokenClassification(Tokenizer tokenizer, int maxLength, LabelNames labels)
    implements Collator {
  private static final String WORDS = "tokens";

  @Override
  public Samples samples(Dataset data) {
    EncodeOptions options = EncodeOptions.DEFAULT.withMaxLength(maxLength);
    TextWindows windows =
        new TextWindows(
            data,
            example -> {
              tags(example);
              return tokenizer.encodeWindows(text(example), options);
            });
    return new Samples() {
      @Override
      public int size() {
        return windows.size();
      }

      @Override
      public Features get(int index, Draws draws) {
        TextWindows.Window window = windows.get(index);
        return features(window.example(), window.encoding()).weighing(window.example().weight());
      }
    };
  }

  private static String[] words(Example example) {
    List<?> words = example.list(WORDS);
    if (words.isEmpty() || !words.stream().allMatch(w -> w instanceof String s && !s.isBlank())) {
      throw example.wrong(WORDS, "a list of words");
    }
    return words.toArray(String[]::new);
  }

  private static String text(Example example) {
    return String.join(" ", words(example));
  }

  private long[] tags(Example example) {
    String field = example.has("tags") ? "tags" : "ner_tags";
    List<?> tags = example.list("tags", "ner_tags");
    int words = words(example).length;
    if (tags.size() != words) {
      throw new DatasetException(
          "%s: field '%s' has %d labels, 'tokens' %d words"
              .formatted(example.where(), field, tags.size(), words));
    }
    return tags.stream().mapToLong(tag -> labels.number(example, field, tag)).toArray();
  }

  private Features features(Example example, Encoding text) {
    String[] words = words(example);
    long[] tags = tags(example);
    long[] labelled = new long[text.length()];
    Arrays.fill(labelled, Features.IGNORED);
    int word = 0;
    int begin = 0;
    int before = -1;
    for (int i = 0; i < labelled.length; i++) {
      if (text.special()[i] || text.ends()[i] <= text.starts()[i]) {
        continue;
      }
      // A token may begin with the space before its word.
      while (text.ends()[i] > begin + words[word].length() && word + 1 < words.length) {
        begin += words[word++].length() + 1;
      }
      boolean isFirst = text.starts()[i] <= begin;
      if (word != before && isFirst) {
        labelled[i] = tags[word];
      }
      before = word;
    }
    return Features.ofTokens(text.ids(), text.typeIds(), labelled);
  }
}
