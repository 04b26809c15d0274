package dev.gatun.generation.constraint;

import dev.gatun.generation.constraint.Automaton.State;
import java.io.ByteArrayOutputStream;
import java.util.ArrayDeque;

/**
 * A constraint over the tokens of a vocabulary. The tokens that may follow a state are found by a
 * walk over the {@link TokenTrie}, and kept with the state. Safe for use by several threads, one
 * after the other.
 */
public final class TokenAutomaton {
  /** Masks that are kept; the one that was made first is forgotten for one more. */
  private static final int MOST_MASKS = 1024;

  /** Bytes that are forced at once. */
  private static final int MOST_FORCED = 4096;

  private final Automaton automaton;
  private final TokenTrie trie;
  private final State start;
  private final ArrayDeque<State> masked = new ArrayDeque<>();

  /**
   * A place in an output.
   *
   * @param state what may follow
   */
  public record Position(State state) {
    /** Whether the output may end here. */
    public boolean isComplete() {
      return state.isAccepting();
    }

    /** Whether more may follow. */
    public boolean continues() {
      return state.continues();
    }
  }

  /**
   * A constraint for a vocabulary.
   *
   * @param leavesOutSpace whether a space that the output begins with is no part of its text
   */
  public TokenAutomaton(Program program, TokenTrie trie, boolean leavesOutSpace) {
    this.automaton = new Automaton(program);
    this.trie = trie;
    State first = automaton.start();
    this.start = leavesOutSpace ? automaton.afterSpace(first) : first;
  }

  /** The beginning of an output. */
  public Position start() {
    return new Position(start);
  }

  /**
   * The place behind a token.
   *
   * @return null where the token may not come
   */
  public synchronized Position advance(Position position, int id) {
    byte[] bytes = trie.bytes(id);
    if (bytes == null) {
      return null;
    }
    return advance(position, bytes);
  }

  /** The place behind bytes; null where they may not come. */
  public synchronized Position advance(Position position, byte... bytes) {
    State state = position.state;
    for (int i = 0; i < bytes.length && !state.isDead(); i++) {
      state = automaton.next(state, bytes[i] & 0xff);
    }
    return state.isDead() ? null : new Position(state);
  }

  /** The tokens that may come; the end of text is for {@link Position#isComplete} to allow. */
  public synchronized TokenMask mask(Position position) {
    State state = position.state;
    if (state.note == null) {
      if (masked.size() >= MOST_MASKS) {
        masked.poll().note = null;
      }
      state.note = compute(state);
      masked.add(state);
    }
    return (TokenMask) state.note;
  }

  private TokenMask compute(State state) {
    int most = trie.longestPlain();
    // A space that is left out is plain too, and comes before others.
    int run = most == 0 || state == start ? 0 : automaton.plainRun(state, most);
    long[] allowed;
    if (run > 0) {
      allowed = trie.plainUpTo(run).clone();
    } else {
      allowed = new long[(trie.size() + 63) / 64];
      trie.plain().walk(automaton, state, allowed);
    }
    trie.others().walk(automaton, state, allowed);
    return TokenMask.of(allowed);
  }

  /** The bytes that must come, whatever is chosen: as far as there is only one. */
  public synchronized byte[] forced(Position position) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    State state = position.state;
    for (int value = automaton.forced(state);
        value >= 0 && bytes.size() < MOST_FORCED;
        value = automaton.forced(state)) {
      bytes.write(value);
      state = automaton.next(state, value);
    }
    return bytes.toByteArray();
  }

  /**
   * Whether a token may begin with the last of some bytes and go on behind them.
   *
   * @param position where the bytes begin
   * @param from the first of the last bytes
   */
  public synchronized boolean mayGrow(Position position, byte[] bytes, int from) {
    Position behind = advance(position, bytes);
    return behind != null
        && trie.isBeginning(bytes, from, value -> !automaton.next(behind.state, value).isDead());
  }

  /** What may come next, for messages: characters, and other bytes as numbers. */
  public synchronized String expected(Position position) {
    StringBuilder text = new StringBuilder();
    int shown = 0;
    for (int value = 0; value < 256 && shown <= 16; value++) {
      if (!automaton.next(position.state, value).isDead()) {
        text.append(text.isEmpty() ? "" : ", ");
        text.append(
            shown == 16
                ? "..."
                : value > 0x20 && value < 0x7f
                    ? "'" + (char) value + "'"
                    : "byte 0x%02X".formatted(value));
        shown++;
      }
    }
    return text.toString();
  }
}
