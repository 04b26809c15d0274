package dev.gatun.training.data;

import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Tokenizer;

/**
 * Samples of {@link Collator#sequenceToSequence} and {@link Collator#translation}.
 *
 * @param from the sources' language, and {@code to} the targets'; null where tokens tell neither
 */
record SequenceToSequence(
    Tokenizer tokenizer, int maxLength, int maxTargetLength, String prefix, String from, String to)
    implements Collator {
  private static final String[] SOURCES = {"source", "text", "document", "article"};
  // A language, and the end of a text.
  private static final int SPECIAL = 2;
  private static final String[] TARGETS = {"target", "summary", "highlights"};

  @Override
  public Samples samples(Dataset data) {
    for (int i = 0; i < data.size(); i++) {
      Example example = data.get(i);
      example.text(SOURCES);
      example.text(TARGETS);
      example.weight();
    }
    return new Samples() {
      @Override
      public int size() {
        return data.size();
      }

      @Override
      public Features get(int index, Draws draws) {
        Example example = data.get(index);
        return Features.ofPair(
                source(prefix + example.text(SOURCES)), target(example.text(TARGETS)))
            .weighing(example.weight());
      }
    };
  }

  private long[] source(String text) {
    return to == null
        ? whole(text, maxLength)
        : tokenizer.languages().source(bare(text, maxLength), from, to);
  }

  /** Where a source is told its language, a target is told its own as a source would be. */
  private long[] target(String text) {
    return to == null || !tokenizer.languages().ofSource()
        ? tokenizer.encodeTarget(text, EncodeOptions.DEFAULT.withMaxLength(maxTargetLength)).ids()
        : tokenizer.languages().source(bare(text, maxTargetLength), to, to);
  }

  private long[] whole(String text, int most) {
    return tokenizer.encode(text, EncodeOptions.DEFAULT.withMaxLength(most)).ids();
  }

  /** The tokens without those that begin and end a text, for which there is room. */
  private long[] bare(String text, int most) {
    EncodeOptions options = EncodeOptions.DEFAULT.withSpecialTokens(false);
    return tokenizer.encode(text, options.withMaxLength(most - SPECIAL)).ids();
  }
}
