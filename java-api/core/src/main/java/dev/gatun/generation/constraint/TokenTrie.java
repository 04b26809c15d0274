package dev.gatun.generation.constraint;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/**
 * A vocabulary by the bytes of its tokens, which a constraint walks to find those that may come
 * next. Tokens of nothing but {@link PlainText} are kept apart, by their characters' number: most
 * states that take one of them take them all.
 */
public final class TokenTrie {
  private final byte[][] bytes;
  private final Nodes plain;
  private final Nodes others;
  private final long[][] plainUpTo;
  private final boolean[] begins = new boolean[256];

  /**
   * The trie of a vocabulary.
   *
   * @param tokens the bytes of each token, by its id; null or empty for one that stands for no text
   */
  public TokenTrie(byte[][] tokens) {
    this.bytes = tokens.clone();
    List<Token> some = new ArrayList<>();
    List<Token> rest = new ArrayList<>();
    int longest = 0;
    int[] characters = new int[tokens.length];
    for (int id = 0; id < tokens.length; id++) {
      if (tokens[id] == null || tokens[id].length == 0) {
        continue;
      }
      begins[tokens[id][0] & 0xff] = true;
      characters[id] = PlainText.characters(tokens[id]);
      (characters[id] > 0 ? some : rest).add(new Token(tokens[id], id));
      longest = Math.max(longest, characters[id]);
    }
    plain = new Nodes(some);
    others = new Nodes(rest);
    plainUpTo = new long[longest + 1][(tokens.length + 63) / 64];
    for (int id = 0; id < tokens.length; id++) {
      for (int count = characters[id]; count > 0 && count <= longest; count++) {
        plainUpTo[count][id >> 6] |= 1L << id;
      }
    }
  }

  private record Token(byte[] bytes, int id) {}

  /** The number of ids. */
  public int size() {
    return bytes.length;
  }

  /** The bytes of a token; null for one that stands for no text. */
  byte[] bytes(int id) {
    return id < bytes.length && bytes[id] != null && bytes[id].length > 0 ? bytes[id] : null;
  }

  /** Whether any token begins with a byte. */
  boolean begins(int value) {
    return begins[value];
  }

  /** Whether some token begins with these bytes and is longer. */
  boolean isBeginning(byte[] prefix, int from, Continuation goesOn) {
    return plain.isBeginning(prefix, from, goesOn) || others.isBeginning(prefix, from, goesOn);
  }

  /** Whether a byte may follow. */
  interface Continuation {
    boolean mayBe(int value);
  }

  /** The most characters of a plain token. */
  int longestPlain() {
    return plainUpTo.length - 1;
  }

  /** The plain tokens of up to so many characters, a bit each. */
  long[] plainUpTo(int characters) {
    return plainUpTo[Math.min(characters, plainUpTo.length - 1)];
  }

  /** The plain tokens. */
  Nodes plain() {
    return plain;
  }

  /** All others. */
  Nodes others() {
    return others;
  }

  /** Nodes in the order of their bytes, each before those below it. */
  static final class Nodes {
    private static final int NEVER = Integer.MAX_VALUE - 1;

    private byte[] label = new byte[64];
    private int[] depth = new int[64];
    // The node behind all that are below.
    private int[] end = new int[64];
    // The place of the first token that ends here or below; tokens of a node come before its
    // children's.
    private int[] first = new int[64];
    private int[] ids;
    // The bytes of a node and all below it, as characters of ASCII, and how deep they go; a bound
    // that nothing reaches where others are among them.
    private long[] low;
    private long[] high;
    private int[] height;
    private int count;
    private int deepest;

    Nodes(List<Token> tokens) {
      List<Token> sorted = new ArrayList<>(tokens);
      sorted.sort(Comparator.comparing(Token::bytes, Arrays::compareUnsigned));
      ids = sorted.stream().mapToInt(Token::id).toArray();
      int[] open = new int[64];
      byte[] before = {};
      for (int i = 0; i < ids.length; i++) {
        byte[] bytes = sorted.get(i).bytes();
        int same = Arrays.mismatch(before, bytes);
        same = same < 0 ? bytes.length : same;
        close(open, same, before.length);
        if (open.length <= bytes.length) {
          open = Arrays.copyOf(open, 2 * bytes.length);
        }
        for (int at = same; at < bytes.length; at++) {
          open[at] = add(bytes[at], at + 1, i);
        }
        before = bytes;
      }
      close(open, 0, before.length);
      // What is behind the last node.
      add((byte) 0, 0, ids.length);
      count--;
      summarize();
    }

    private void summarize() {
      low = new long[count];
      high = new long[count];
      height = new int[count];
      for (int node = count - 1; node >= 0; node--) {
        int value = label[node];
        low[node] |= value >= 0 && value < 64 ? 1L << value : 0;
        high[node] |= value >= 64 ? 1L << value : 0;
        height[node] = value < 0 ? NEVER : height[node];
        for (int child = node + 1; child < end[node]; child = end[child]) {
          low[node] |= low[child];
          high[node] |= high[child];
          height[node] = Math.max(height[node], height[child]);
        }
        height[node] = Math.min(NEVER, height[node] + 1);
      }
    }

    private void close(int[] open, int from, int to) {
      for (int at = from; at < to; at++) {
        end[open[at]] = count;
      }
    }

    private int add(byte value, int at, int token) {
      if (count == label.length) {
        int more = 2 * count;
        label = Arrays.copyOf(label, more);
        depth = Arrays.copyOf(depth, more);
        end = Arrays.copyOf(end, more);
        first = Arrays.copyOf(first, more);
      }
      label[count] = value;
      depth[count] = at;
      first[count] = token;
      deepest = Math.max(deepest, at);
      return count++;
    }

    /** Marks the tokens that an automaton may read whole. */
    void walk(Automaton automaton, Automaton.State from, long[] allowed) {
      Automaton.State[] states = new Automaton.State[deepest + 1];
      states[0] = from;
      Program program = automaton.program();
      int[] classes = new int[256];
      for (int value = 0; value < classes.length; value++) {
        classes[value] = program.classOf(value);
      }
      for (int node = 0; node < count; ) {
        int at = depth[node];
        if (automaton.takesAll(states[at - 1], low[node], high[node], height[node])) {
          allow(first[node], first[end[node]], allowed);
          node = end[node];
          continue;
        }
        Automaton.State state = automaton.nextOfClass(states[at - 1], classes[label[node] & 0xff]);
        if (state.isDead()) {
          node = end[node];
          continue;
        }
        states[at] = state;
        allow(first[node], first[node + 1], allowed);
        node++;
      }
    }

    private void allow(int from, int to, long[] allowed) {
      for (int i = from; i < to; i++) {
        int id = ids[i];
        allowed[id >> 6] |= 1L << id;
      }
    }

    private boolean isBeginning(byte[] prefix, int from, Continuation goesOn) {
      int node = 0;
      for (int at = from; at < prefix.length; at++) {
        int wanted = at - from + 1;
        int limit = at == from ? count : end[node - 1];
        while (node < limit && label[node] != prefix[at]) {
          node = end[node];
        }
        if (node >= limit || depth[node] != wanted) {
          return false;
        }
        node++;
      }
      int limit = from == prefix.length ? count : end[node - 1];
      while (node < limit) {
        if (goesOn.mayBe(label[node] & 0xff)) {
          return true;
        }
        node = end[node];
      }
      return false;
    }
  }
}
