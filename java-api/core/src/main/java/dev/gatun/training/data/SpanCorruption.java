package dev.gatun.training.data;

import dev.gatun.text.EncodeOptions;
import dev.gatun.text.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/** Samples of {@link Collator#spanCorruption}. */
final class SpanCorruption implements Collator {
  private final Tokenizer tokenizer;
  private final int maxLength;
  private final double density;
  private final double meanSpanLength;
  private final long[] sentinels;
  private final OptionalInt eos;

  SpanCorruption(Tokenizer tokenizer, int maxLength, double density, double meanSpanLength) {
    if (!(density > 0 && density < 1)) {
      throw new IllegalArgumentException(
          "span corruption: density is %s, expected above 0 and below 1".formatted(density));
    }
    if (!(meanSpanLength >= 1)) {
      throw new IllegalArgumentException(
          "span corruption: the mean length of spans is %s, expected at least 1"
              .formatted(meanSpanLength));
    }
    if (maxLength < 2) {
      throw new IllegalArgumentException(
          "span corruption: at most %d tokens, expected at least 2".formatted(maxLength));
    }
    this.tokenizer = tokenizer;
    this.maxLength = maxLength;
    this.density = density;
    this.meanSpanLength = meanSpanLength;
    this.sentinels = sentinels(tokenizer);
    this.eos = tokenizer.specialTokens().eos();
  }

  private static long[] sentinels(Tokenizer tokenizer) {
    List<Long> found = new ArrayList<>();
    for (OptionalInt id = sentinel(tokenizer, 0);
        id.isPresent();
        id = sentinel(tokenizer, found.size())) {
      found.add((long) id.getAsInt());
    }
    if (found.size() < 3) {
      throw new IllegalArgumentException(
          "span corruption: the tokenizer has %d tokens <extra_id_N>, expected at least 3, as T5's"
              .formatted(found.size()));
    }
    return found.stream().mapToLong(id -> id).toArray();
  }

  private static OptionalInt sentinel(Tokenizer tokenizer, int number) {
    return tokenizer.tokenToId("<extra_id_" + number + ">");
  }

  @Override
  public Samples samples(Dataset data) {
    EncodeOptions options =
        EncodeOptions.DEFAULT.withSpecialTokens(false).withMaxLength(maxLength - 1);
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
        return corrupted(window.encoding().ids(), draws).weighing(window.example().weight());
      }
    };
  }

  /** A text of tokens with spans taken out. */
  Features corrupted(long[] ids, Draws draws) {
    boolean[] noise = noise(ids.length, density, meanSpanLength, sentinels.length - 1, draws);
    long[] source = new long[ids.length + 1];
    // No span is longer than what it and its sentinel take.
    long[] target = new long[2 * ids.length + 2];
    int read = 0;
    int written = 0;
    int spans = 0;
    for (int i = 0; i < ids.length; i++) {
      if (!noise[i]) {
        source[read++] = ids[i];
        continue;
      }
      if (i == 0 || !noise[i - 1]) {
        source[read++] = sentinels[spans];
        target[written++] = sentinels[spans++];
      }
      target[written++] = ids[i];
    }
    target[written++] = sentinels[spans];
    if (eos.isPresent()) {
      source[read++] = eos.getAsInt();
      target[written++] = eos.getAsInt();
    }
    return Features.ofPair(Arrays.copyOf(source, read), Arrays.copyOf(target, written));
  }

  /**
   * Which tokens are in spans: {@code round(length · density)} of them, at least one, and one less
   * than all at most where there are two. Spans and what lies between them have at least a token;
   * all is turned by a random number of places, so that each token is as likely: a span that comes
   * apart so is two.
   */
  static boolean[] noise(
      int length, double density, double meanSpanLength, int mostSpans, Draws draws) {
    boolean[] noise = new boolean[length];
    if (length < 2) {
      Arrays.fill(noise, true);
      return noise;
    }
    int noisy = Math.clamp(Math.round(length * density), 1, length - 1);
    int rest = length - noisy;
    int spans = Math.clamp(Math.round(noisy / meanSpanLength), 1, Math.min(noisy, rest));
    spans = Math.min(spans, mostSpans - 1);
    int[] spanLengths = parts(noisy, spans, draws);
    int[] gaps = parts(rest, spans, draws);
    int at = draws.below(length);
    for (int span = 0; span < spans; span++) {
      for (int i = 0; i < spanLengths[span]; i++) {
        noise[(at + i) % length] = true;
      }
      at += spanLengths[span] + gaps[span];
    }
    return noise;
  }

  /** A sum cut into parts of at least 1, each way of cutting as likely. */
  private static int[] parts(int sum, int count, Draws draws) {
    int[] cuts = IntStream.range(1, sum).toArray();
    draws.shuffle(cuts);
    int[] chosen = Arrays.copyOf(cuts, count + 1);
    chosen[count - 1] = 0;
    chosen[count] = sum;
    Arrays.sort(chosen);
    int[] parts = new int[count];
    for (int i = 0; i < count; i++) {
      parts[i] = chosen[i + 1] - chosen[i];
    }
    return parts;
  }
}
