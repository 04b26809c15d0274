package dev.gatun.djl.host;

/**
 * The order of numbers: places by rising or falling value, those of equal values as they come. By
 * their bytes, the lowest first (least-significant-digit radix sort), of which those that all
 * numbers share are passed over; few numbers by insertion.
 */
final class LaneOrder {
  private static final int FEW = 48;
  private static final int DIGIT = 8;
  private static final int DIGITS = Long.SIZE / DIGIT;
  private static final int VALUES = 1 << DIGIT;

  private final int length;
  private final int[] counts;
  // Keys, whose unsigned order is that of the numbers, and the places that they come from.
  private long[] keys;
  private long[] nextKeys;
  private int[] places;
  private int[] nextPlaces;

  /**
   * @param length of all lanes
   */
  LaneOrder(int length) {
    this.length = length;
    counts = new int[length <= FEW ? 0 : DIGITS * VALUES];
    keys = new long[length];
    places = new int[length];
    nextKeys = new long[length <= FEW ? 0 : length];
    nextPlaces = new int[nextKeys.length];
  }

  /** The places of whole numbers in their order, until the next call. */
  int[] of(long[] lane, boolean descending) {
    for (int i = 0; i < length; i++) {
      keys[i] = lane[i] ^ Long.MIN_VALUE;
    }
    return sorted(descending);
  }

  /** The same of floats: NaN is the greatest, 0 and -0 are equal. */
  int[] of(double[] lane, boolean descending) {
    for (int i = 0; i < length; i++) {
      // Adding 0 makes -0 it.
      long bits = Double.doubleToLongBits(lane[i] + 0.0);
      keys[i] = bits ^ (bits >> Long.SIZE - 1 | Long.MIN_VALUE);
    }
    return sorted(descending);
  }

  private int[] sorted(boolean descending) {
    for (int i = 0; i < length; i++) {
      places[i] = i;
      keys[i] = descending ? ~keys[i] : keys[i];
    }
    if (length <= FEW) {
      insert();
    } else {
      byDigits();
    }
    return places;
  }

  private void insert() {
    for (int i = 1; i < length; i++) {
      long key = keys[i];
      int j = i;
      for (; j > 0 && Long.compareUnsigned(keys[j - 1], key) > 0; j--) {
        keys[j] = keys[j - 1];
        places[j] = places[j - 1];
      }
      keys[j] = key;
      places[j] = i;
    }
  }

  private void byDigits() {
    java.util.Arrays.fill(counts, 0);
    for (long key : keys) {
      for (int d = 0; d < DIGITS; d++) {
        counts[d * VALUES + digit(key, d)]++;
      }
    }
    for (int d = 0; d < DIGITS; d++) {
      int begin = d * VALUES;
      if (counts[begin + digit(keys[0], d)] == length) {
        continue;
      }
      int before = 0;
      for (int i = begin; i < begin + VALUES; i++) {
        int count = counts[i];
        counts[i] = before;
        before += count;
      }
      for (int i = 0; i < length; i++) {
        int to = counts[begin + digit(keys[i], d)]++;
        nextKeys[to] = keys[i];
        nextPlaces[to] = places[i];
      }
      swap();
    }
  }

  private static int digit(long key, int d) {
    return (int) (key >>> d * DIGIT) & VALUES - 1;
  }

  private void swap() {
    long[] moved = keys;
    keys = nextKeys;
    nextKeys = moved;
    int[] from = places;
    places = nextPlaces;
    nextPlaces = from;
  }
}
