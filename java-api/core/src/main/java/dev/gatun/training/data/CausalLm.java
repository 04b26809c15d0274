package dev.gatun.training.data;

import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Tokenizer;
import java.util.Arrays;

/** Samples of {@link Collator#causalLm}, a text a sample. */
record CausalLm(Tokenizer tokenizer, int maxLength) implements Collator {
  @Override
  public Samples samples(Dataset data) {
    // Room for the token that ends a text, which few tokenizers add.
    EncodeOptions options = EncodeOptions.DEFAULT.withMaxLength(Math.max(1, maxLength - 1));
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
        long[] ids = window.encoding().ids();
        return Features.ofText(window.isLast() ? ended(ids) : ids)
            .weighing(window.example().weight());
      }
    };
  }

  private long[] ended(long[] ids) {
    if (tokenizer.specialTokens().eos().isEmpty()) {
      return ids;
    }
    long eos = tokenizer.specialTokens().eos().getAsInt();
    if (ids.length > 0 && ids[ids.length - 1] == eos) {
      return ids;
    }
    long[] ended = Arrays.copyOf(ids, ids.length + 1);
    ended[ids.length] = eos;
    return ended;
  }
}
