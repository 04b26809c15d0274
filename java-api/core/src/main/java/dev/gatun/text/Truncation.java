package dev.gatun.text;

import dev.gatun.text.EncodeOptions.Overflow;
import dev.gatun.text.EncodeOptions.PairTruncation;
import java.util.ArrayList;
import java.util.List;

/** Cuts a whole encoding to length, as Hugging Face's tokenizers do. */
final class Truncation {
  private final Encoding whole;
  private final EncodeOptions options;
  private final boolean pair;
  private final int[] counts = new int[2];
  private final int room;

  private Truncation(Encoding whole, EncodeOptions options, boolean pair) {
    this.whole = whole;
    this.options = options;
    this.pair = pair;
    int added = 0;
    for (int sequence : whole.sequenceIds()) {
      if (sequence < 0) {
        added++;
      } else {
        counts[sequence]++;
      }
    }
    this.room = options.maxLength() - added;
    if (whole.length() > options.maxLength() && room < 0) {
      throw new TokenizerException(
          "maxLength is %d but the template alone adds %d tokens"
              .formatted(options.maxLength(), added));
    }
  }

  static Encoding cut(Encoding whole, EncodeOptions options, boolean pair) {
    if (whole.length() <= options.maxLength()) {
      return whole;
    }
    if (options.overflow() == Overflow.ERROR) {
      throw new TokenizerException(
          "the text has %d tokens, special tokens included, but maxLength is %d"
              .formatted(whole.length(), options.maxLength()));
    }
    return new Truncation(whole, options, pair).cut();
  }

  static List<Encoding> windows(Encoding whole, EncodeOptions options, boolean pair) {
    if (pair && options.pairTruncation() == PairTruncation.LONGEST_FIRST) {
      throw new IllegalArgumentException(
          "windows of a pair need pairTruncation ONLY_FIRST or ONLY_SECOND, not LONGEST_FIRST");
    }
    if (whole.length() <= options.maxLength()) {
      return List.of(whole);
    }
    return new Truncation(whole, options, pair).windows();
  }

  private Encoding cut() {
    if (pair && options.pairTruncation() == PairTruncation.LONGEST_FIRST) {
      int shorter = Math.min(counts[0], counts[1]);
      int longer = shorter > room ? shorter : Math.max(shorter, room - shorter);
      if (shorter + longer > room) {
        shorter = room / 2;
        longer = shorter + room % 2;
      }
      boolean swap = counts[0] > counts[1];
      return select(0, swap ? longer : shorter, 0, swap ? shorter : longer);
    }
    return window(0, roomOfCut());
  }

  private List<Encoding> windows() {
    int size = roomOfCut();
    if (options.stride() >= size) {
      throw new IllegalArgumentException(
          "stride is %d but only %d tokens of text fit in a window of %d"
              .formatted(options.stride(), size, options.maxLength()));
    }
    List<Encoding> windows = new ArrayList<>();
    int count = counts[cutSequence()];
    for (int from = 0; ; from += size - options.stride()) {
      int to = Math.min(from + size, count);
      windows.add(window(from, to));
      if (to == count) {
        return windows;
      }
    }
  }

  private int cutSequence() {
    return pair && options.pairTruncation() == PairTruncation.ONLY_SECOND ? 1 : 0;
  }

  /** Tokens that the text to be cut may keep. */
  private int roomOfCut() {
    int other = counts[1 - cutSequence()];
    if (other > room || (pair && other == room)) {
      throw new TokenizerException(
          "maxLength is %d but the text that must not be cut has %d tokens and %d are special"
              .formatted(options.maxLength(), other, options.maxLength() - room));
    }
    return room - other;
  }

  private Encoding window(int from, int to) {
    return cutSequence() == 0 ? select(from, to, 0, counts[1]) : select(0, counts[0], from, to);
  }

  private Encoding select(int from0, int to0, int from1, int to1) {
    int[] kept = new int[whole.length()];
    int[] seen = new int[2];
    int n = 0;
    for (int i = 0; i < whole.length(); i++) {
      int sequence = whole.sequenceIds()[i];
      boolean keep = true;
      if (sequence >= 0) {
        int at = seen[sequence]++;
        keep = sequence == 0 ? at >= from0 && at < to0 : at >= from1 && at < to1;
      }
      if (keep) {
        kept[n++] = i;
      }
    }
    return whole.select(java.util.Arrays.copyOf(kept, n));
  }
}
