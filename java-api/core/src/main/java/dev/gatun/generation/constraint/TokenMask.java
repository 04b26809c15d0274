package dev.gatun.generation.constraint;

import java.util.Arrays;
import java.util.function.IntConsumer;

/** Tokens of a vocabulary: a list of few, or a bit each. */
public final class TokenMask {
  private static final int FEW = 256;

  private final int[] few;
  private final long[] bits;
  private final int count;

  private TokenMask(int[] few, long[] bits, int count) {
    this.few = few;
    this.bits = bits;
    this.count = count;
  }

  /** Of a bit each. */
  static TokenMask of(long[] bits) {
    int count = 0;
    for (long word : bits) {
      count += Long.bitCount(word);
    }
    if (count > FEW) {
      return new TokenMask(null, bits, count);
    }
    int[] few = new int[count];
    int at = 0;
    for (int i = 0; i < bits.length; i++) {
      for (long word = bits[i]; word != 0; word &= word - 1) {
        few[at++] = 64 * i + Long.numberOfTrailingZeros(word);
      }
    }
    return new TokenMask(few, null, count);
  }

  /** How many there are. */
  public int count() {
    return count;
  }

  /** Whether a token is one of them. */
  public boolean contains(int id) {
    return few == null
        ? id >= 0 && id >> 6 < bits.length && (bits[id >> 6] >>> id & 1) != 0
        : Arrays.binarySearch(few, id) >= 0;
  }

  /** Calls for each, in the order of the ids. */
  public void forEach(IntConsumer action) {
    if (few != null) {
      Arrays.stream(few).forEach(action);
      return;
    }
    for (int i = 0; i < bits.length; i++) {
      for (long word = bits[i]; word != 0; word &= word - 1) {
        action.accept(64 * i + Long.numberOfTrailingZeros(word));
      }
    }
  }
}
