package dev.gatun.training.data;

import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Encoding;
import dev.gatun.text.Tokenizer;

/** Samples of {@link Collator#maskedLm}. */
record MaskedLm(Tokenizer tokenizer, int maxLength, Masking masking) implements Collator {
  @Override
  public Samples samples(Dataset data) {
    EncodeOptions options = EncodeOptions.DEFAULT.withMaxLength(maxLength);
    TextWindows windows =
        new TextWindows(data, example -> tokenizer.encodeWindows(example.text("text"), options));
    return new Samples() {
      @Override
      public int size() {
        return windows.size();
      }

      @Override
      public Features get(int index, Draws draws) {
        TextWindows.Window window = windows.get(index);
        Encoding text = window.encoding();
        long[] ids = text.ids().clone();
        long[] labels = masking.apply(text, ids, draws);
        return Features.ofTokens(ids, text.typeIds(), labels).weighing(window.example().weight());
      }
    };
  }
}
