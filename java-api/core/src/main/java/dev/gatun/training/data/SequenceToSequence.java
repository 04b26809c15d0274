package dev.gatun.training.data;

import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Tokenizer;

/** Samples of {@link Collator#sequenceToSequence}. */
record SequenceToSequence(Tokenizer tokenizer, int maxLength, int maxTargetLength, String prefix)
    implements Collator {
  private static final String[] SOURCES = {"source", "text", "document", "article"};
  private static final String[] TARGETS = {"target", "summary", "highlights"};

  @Override
  public Samples samples(Dataset data) {
    for (int i = 0; i < data.size(); i++) {
      Example example = data.get(i);
      example.text(SOURCES);
      example.text(TARGETS);
    }
    EncodeOptions ofSources = EncodeOptions.DEFAULT.withMaxLength(maxLength);
    EncodeOptions ofTargets = EncodeOptions.DEFAULT.withMaxLength(maxTargetLength);
    return new Samples() {
      @Override
      public int size() {
        return data.size();
      }

      @Override
      public Features get(int index, Draws draws) {
        Example example = data.get(index);
        return Features.ofPair(
            tokenizer.encode(prefix + example.text(SOURCES), ofSources).ids(),
            tokenizer.encode(example.text(TARGETS), ofTargets).ids());
      }
    };
  }
}
