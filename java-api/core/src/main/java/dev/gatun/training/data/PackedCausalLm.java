package dev.gatun.training.data;

import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Tokenizer;
import java.util.Arrays;
import java.util.OptionalInt;

/**
 * Samples of {@link Collator#causalLm}, the texts as one stream of tokens. Blocks begin elsewhere
 * in each epoch, so that a model does not learn places by heart; the end of the stream is followed
 * by its beginning.
 */
record PackedCausalLm(Tokenizer tokenizer, int maxLength) implements Collator {
  /** Checks the length. */
  PackedCausalLm {
    if (maxLength < 2) {
      throw new IllegalArgumentException(
          "causal_lm: blocks of %d tokens, expected at least 2".formatted(maxLength));
    }
  }

  @Override
  public Samples samples(Dataset data) {
    int[] stream = stream(data);
    // A last block of one token tells nothing.
    int blocks = (stream.length + maxLength - 2) / maxLength;
    if (blocks == 0) {
      throw new DatasetException(
          "%s: %d token, expected at least 2".formatted(data.get(0).where(), stream.length));
    }
    return new Samples() {
      @Override
      public int size() {
        return blocks;
      }

      @Override
      public Features get(int index, Draws draws) {
        long first = (long) index * maxLength;
        long shift = draws.ofEpoch(stream.length);
        long[] ids = new long[(int) Math.min(maxLength, stream.length - first)];
        for (int i = 0; i < ids.length; i++) {
          ids[i] = stream[(int) ((first + i + shift) % stream.length)];
        }
        return Features.ofText(ids);
      }
    };
  }

  private int[] stream(Dataset data) {
    EncodeOptions options = EncodeOptions.DEFAULT.withSpecialTokens(false);
    OptionalInt eos = tokenizer.specialTokens().eos();
    int[] stream = new int[1 << 12];
    int size = 0;
    Example example = data.get(0);
    for (int i = 0; i < data.size(); i++) {
      Example next = i + 1 < data.size() ? data.get(i + 1) : null;
      boolean ends = next == null || next.document() != example.document();
      boolean marked = ends && eos.isPresent();
      String text = example.text("text");
      example.requireNoWeight("one stream of texts");
      long[] ids = tokenizer.inputIds(marked ? text : text + "\n", options).ids();
      example = next;
      int needed = Math.addExact(size, ids.length + 1);
      if (needed > stream.length) {
        stream = Arrays.copyOf(stream, Math.max(needed, (int) Math.min(2L * size, 1L << 30)));
      }
      for (long id : ids) {
        stream[size++] = Math.toIntExact(id);
      }
      if (marked) {
        stream[size++] = eos.getAsInt();
      }
    }
    return Arrays.copyOf(stream, size);
  }
}
