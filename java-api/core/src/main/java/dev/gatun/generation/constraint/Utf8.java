package dev.gatun.generation.constraint;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** One code point of a set, as UTF-8. */
final class Utf8 implements Terminal {
  private static final int ACCEPTING = 1;
  private static final int[] LAST_OF_LENGTH = {0x7f, 0x7ff, 0xffff};

  // A row for each state: what follows each byte.
  private final List<short[]> rows = new ArrayList<>();
  // The state that reads so many continuation bytes, whatever they are; 0 for none yet.
  private final int[] any = new int[4];
  private final int[] only;
  private final boolean plain;

  /**
   * The automaton of a set.
   *
   * @param set not empty
   */
  Utf8(CodePoints set) {
    newState();
    newState();
    for (int i = 0; i < set.ranges(); i++) {
      split(set.first(i), set.last(i));
    }
    only = rows.stream().mapToInt(Utf8::single).toArray();
    plain = !set.intersect(PlainText.SET).isEmpty();
  }

  private int newState() {
    short[] row = new short[256];
    Arrays.fill(row, (short) DEAD);
    rows.add(row);
    return rows.size() - 1;
  }

  /** Adds a range, in parts whose bytes may be any of a range each. */
  private void split(int from, int to) {
    for (int last : LAST_OF_LENGTH) {
      if (from <= last && last < to) {
        split(from, last);
        split(last + 1, to);
        return;
      }
    }
    for (int i = 1; i < length(from); i++) {
      int low = (1 << 6 * i) - 1;
      if ((from & ~low) != (to & ~low)) {
        if ((from & low) != 0) {
          split(from, from | low);
          split((from | low) + 1, to);
          return;
        }
        if ((to & low) != low) {
          split(from, (to & ~low) - 1);
          split(to & ~low, to);
          return;
        }
      }
    }
    add(bytes(from), bytes(to));
  }

  private static int length(int codePoint) {
    int length = 1;
    for (int last : LAST_OF_LENGTH) {
      length += codePoint > last ? 1 : 0;
    }
    return length;
  }

  private static byte[] bytes(int codePoint) {
    return Character.toString(codePoint).getBytes(StandardCharsets.UTF_8);
  }

  private void add(byte[] from, byte[] to) {
    int state = 0;
    for (int i = 0; i < from.length; i++) {
      short[] row = rows.get(state);
      int low = from[i] & 0xff;
      int high = to[i] & 0xff;
      int next;
      if (i == from.length - 1) {
        next = ACCEPTING;
      } else if (row[low] != DEAD) {
        // Two parts that share a byte that is not their last have this byte alone there.
        next = row[low];
      } else {
        next = isAny(from, to, i + 1) ? any(from.length - i - 1) : newState();
      }
      Arrays.fill(row, low, high + 1, (short) next);
      if (isAny(from, to, i + 1)) {
        break;
      }
      state = next;
    }
  }

  /** Whether all bytes from a place on are any continuation bytes. */
  private static boolean isAny(byte[] from, byte[] to, int at) {
    for (int i = at; i < from.length; i++) {
      if ((from[i] & 0xff) != 0x80 || (to[i] & 0xff) != 0xbf) {
        return false;
      }
    }
    return true;
  }

  private int any(int count) {
    if (count == 0) {
      return ACCEPTING;
    }
    if (any[count] == 0) {
      int next = any(count - 1);
      any[count] = newState();
      Arrays.fill(rows.get(any[count]), 0x80, 0xc0, (short) next);
    }
    return any[count];
  }

  private static int single(short[] row) {
    int found = -1;
    for (int i = 0; i < row.length; i++) {
      if (row[i] != DEAD) {
        if (found >= 0) {
          return -1;
        }
        found = i;
      }
    }
    return found;
  }

  @Override
  public int step(int state, int value) {
    return rows.get(state)[value];
  }

  @Override
  public boolean accepts(int state) {
    return state == ACCEPTING;
  }

  @Override
  public boolean continues(int state) {
    return state != ACCEPTING;
  }

  @Override
  public int only(int state) {
    return only[state];
  }

  @Override
  public boolean beginsPlain() {
    return plain;
  }

  @Override
  public long asciiLow() {
    return ascii(0);
  }

  @Override
  public long asciiHigh() {
    return ascii(64);
  }

  private long ascii(int from) {
    long bits = 0;
    for (int i = 0; i < 64; i++) {
      bits |= rows.getFirst()[from + i] == DEAD ? 0 : 1L << i;
    }
    return bits;
  }

  @Override
  public void cuts(boolean[] cuts) {
    for (short[] row : rows) {
      for (int i = 1; i < row.length; i++) {
        cuts[i] |= row[i] != row[i - 1];
      }
    }
  }
}
