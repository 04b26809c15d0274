package dev.gatun.generation.constraint;

import dev.gatun.generation.constraint.Program.Loop;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * Runs a {@link Program} on bytes. A state is everything that may go on: places in the program,
 * each with its stack. States are made when they are met, once each, and remember what follows
 * them; so reading is mostly a look-up. Not for use by two threads at once.
 */
final class Automaton {
  /** States that are remembered; more of them are forgotten all at once. */
  private static final int MOST_STATES = 1 << 16;

  /** Ways to go on that are looked at together. */
  private static final int MOST_WAYS = 1 << 14;

  /**
   * What is to be done behind a rule, or how often a repetition has come.
   *
   * @param at where a call returns to, or which repetition it is
   * @param count how often; -1 for a call
   */
  record Frame(int at, int count, Frame parent, int id) {}

  private record FrameKey(int at, int count, int parent) {}

  /**
   * A way to go on: a terminal that is being read.
   *
   * @param at the READ
   * @param inside the terminal's state
   * @param frame the stack; null for none
   */
  record Way(int at, int inside, Frame frame, int id) {}

  private record WayKey(int at, int inside, int frame) {}

  /** All ways to go on. */
  static final class State {
    private final Way[] ways;
    private final boolean accepting;
    private final State[] next;
    private final Map<Insides, State> alike = new HashMap<>(8);
    private int forced = UNKNOWN;
    // Characters of ASCII that may come next, in any order, and how many of them; -1 for unknown.
    private long runLow;
    private long runHigh;
    private int run = -1;

    /** What is kept with it; see {@link TokenAutomaton}. */
    Object note;

    private State(Way[] ways, boolean accepting, int classes) {
      this.ways = ways;
      this.accepting = accepting;
      this.next = new State[classes];
    }

    private void forget() {
      Arrays.fill(next, null);
      alike.clear();
    }

    /** Whether what was read may be all. */
    boolean isAccepting() {
      return accepting;
    }

    /** Whether nothing may follow, nor is what was read complete. */
    boolean isDead() {
      return ways.length == 0 && !accepting;
    }

    /** Whether more may follow. */
    boolean continues() {
      return ways.length > 0;
    }
  }

  private static final int UNKNOWN = -2;
  private static final int MOST_RUN = 1 << 20;

  private final Program program;
  private final int[] representatives;
  private final Map<FrameKey, Frame> frames = new HashMap<>();
  private final Map<WayKey, Way> ways = new HashMap<>();
  private final Map<StateKey, State> known = new HashMap<>();
  private final State dead;
  private int ids;

  private record Insides(int[] of) {
    @Override
    public boolean equals(Object other) {
      return other instanceof Insides that && Arrays.equals(of, that.of);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(of);
    }
  }

  private record StateKey(int[] ways, boolean accepting) {
    @Override
    public boolean equals(Object other) {
      return other instanceof StateKey that
          && accepting == that.accepting
          && Arrays.equals(ways, that.ways);
    }

    @Override
    public int hashCode() {
      return 31 * Arrays.hashCode(ways) + (accepting ? 1 : 0);
    }
  }

  Automaton(Program program) {
    this.program = program;
    this.representatives = program.representatives();
    this.dead = new State(new Way[0], false, program.classes());
  }

  Program program() {
    return program;
  }

  /** Before anything is read. */
  State start() {
    Closure closure = new Closure();
    closure.go(program.start(), null);
    return state(closure);
  }

  /**
   * A state that is like another, but that a space before it changes nothing.
   *
   * @param state to be reached with and without
   */
  State afterSpace(State state) {
    State made = new State(state.ways, state.accepting, program.classes());
    made.next[program.classOf(' ')] = state;
    made.forced = -1;
    made.run = 0;
    return made;
  }

  /** The state behind a byte of 0 to 255. */
  State next(State state, int value) {
    return nextOfClass(state, program.classOf(value));
  }

  /** The state behind the bytes of a class. */
  State nextOfClass(State state, int index) {
    State next = state.next[index];
    if (next == null) {
      next = compute(state, representatives[index]);
      state.next[index] = next;
    }
    return next;
  }

  private State compute(State state, int value) {
    int[] insides = new int[state.ways.length];
    boolean alive = false;
    for (int i = 0; i < insides.length; i++) {
      Way way = state.ways[i];
      insides[i] = program.terminal(way.at).step(way.inside, value);
      alive |= insides[i] != Terminal.DEAD;
    }
    if (!alive) {
      return dead;
    }
    // Most bytes do what others do: to a string's characters, all letters are alike.
    Insides key = new Insides(insides);
    State next = state.alike.get(key);
    if (next == null) {
      next = compute(state, insides);
      state.alike.put(key, next);
    }
    return next;
  }

  private State compute(State state, int... insides) {
    Closure closure = new Closure();
    for (int i = 0; i < insides.length; i++) {
      Way way = state.ways[i];
      int inside = insides[i];
      if (inside == Terminal.DEAD) {
        continue;
      }
      Terminal terminal = program.terminal(way.at);
      if (terminal.continues(inside)) {
        closure.add(way.at, inside, way.frame);
      }
      if (terminal.accepts(inside)) {
        closure.go(program.b(way.at), way.frame);
      }
    }
    return state(closure);
  }

  private State state(Closure closure) {
    if (closure.found.isEmpty() && !closure.accepting) {
      return dead;
    }
    Way[] all = closure.found.toArray(Way[]::new);
    Arrays.sort(all, (a, b) -> Integer.compare(a.id, b.id));
    StateKey key = new StateKey(Arrays.stream(all).mapToInt(Way::id).toArray(), closure.accepting);
    State found = known.get(key);
    if (found == null) {
      if (known.size() >= MOST_STATES) {
        // Links would keep all of them.
        known.values().forEach(State::forget);
        known.clear();
        ways.clear();
        frames.clear();
      }
      found = new State(all, closure.accepting, program.classes());
      known.put(key, found);
    }
    return found;
  }

  /** The one byte that may come; -1 where there are others, or none, or where this may be all. */
  int forced(State state) {
    if (state.forced == UNKNOWN) {
      int found = state.accepting || state.ways.length == 0 ? -1 : only(state.ways[0]);
      for (int i = 1; i < state.ways.length && found >= 0; i++) {
        found = only(state.ways[i]) == found ? found : -1;
      }
      state.forced = found;
    }
    return state.forced;
  }

  private int only(Way way) {
    return program.terminal(way.at).only(way.inside);
  }

  /**
   * How many {@link PlainText} characters may follow, each of them in place of any other, and no
   * more than those.
   *
   * @param most where so many may follow, it does not matter whether more may
   * @return up to {@code most}; 0 where it is not so simple
   */
  int plainRun(State state, int most) {
    int run = 0;
    int others = 0;
    for (Way way : state.ways) {
      if (way.inside != 0 || program.terminal(way.at).beginsPlain()) {
        int of = way.inside == 0 && program.isPlainBody(way.at) ? plainRun(way, most) : 0;
        if (of >= most) {
          return most;
        }
        run = Math.max(run, of);
        others++;
      }
    }
    return others == 1 ? run : 0;
  }

  private int plainRun(Way body, int most) {
    int left = left(body);
    if (left >= most) {
      return most;
    }
    Loop loop = program.loop(program.a(program.again(body.at)));
    Closure behind = new Closure();
    behind.go(loop.next(), body.frame.parent);
    for (Way way : behind.found) {
      if (program.terminal(way.at).beginsPlain()) {
        return 0;
      }
    }
    return left;
  }

  /**
   * Whether so many characters of ASCII may follow in any order.
   *
   * @param low the characters below 64, a bit each
   * @param high those from 64 on
   */
  boolean takesAll(State state, long low, long high, int count) {
    if (state.run < 0) {
      findRun(state);
    }
    return (low & ~state.runLow) == 0 && (high & ~state.runHigh) == 0 && count <= state.run;
  }

  private void findRun(State state) {
    state.run = 0;
    int most = 0;
    for (Way way : state.ways) {
      if (way.inside == 0 && program.isBody(way.at)) {
        Terminal terminal = program.terminal(way.at);
        int count = Long.bitCount(terminal.asciiLow()) + Long.bitCount(terminal.asciiHigh());
        if (count > most) {
          most = count;
          state.runLow = terminal.asciiLow();
          state.runHigh = terminal.asciiHigh();
          state.run = left(way);
        }
      }
    }
  }

  /** How often the body of a repetition may come, of which a way is at the beginning. */
  private int left(Way body) {
    int again = program.again(body.at);
    if (program.kind(again) != Program.Kind.AGAIN) {
      return MOST_RUN;
    }
    Loop loop = program.loop(program.a(again));
    return Math.min(MOST_RUN, loop.max() - body.frame.count);
  }

  private Frame frame(int at, int count, Frame parent) {
    FrameKey key = new FrameKey(at, count, parent == null ? -1 : parent.id);
    Frame frame = frames.get(key);
    if (frame == null) {
      frame = new Frame(at, count, parent, ids++);
      frames.put(key, frame);
    }
    return frame;
  }

  /** What is reached without reading. */
  private final class Closure {
    private final Set<Way> found = new HashSet<>();
    private final Set<WayKey> seen = new HashSet<>();
    private boolean accepting;

    private void add(int at, int inside, Frame frame) {
      WayKey key = new WayKey(at, inside, frame == null ? -1 : frame.id);
      Way way = ways.get(key);
      if (way == null) {
        way = new Way(at, inside, frame, ids++);
        ways.put(key, way);
      }
      found.add(way);
      if (found.size() > MOST_WAYS) {
        throw new IllegalStateException(
            "the constraint is too ambiguous: there are more than %d ways to read the output"
                .formatted(MOST_WAYS));
      }
    }

    private void go(int first, Frame stack) {
      ArrayDeque<Way> todo = new ArrayDeque<>();
      push(todo, first, stack);
      while (!todo.isEmpty()) {
        Way each = todo.pop();
        int at = each.at;
        Frame frame = each.frame;
        switch (program.kind(at)) {
          case READ -> add(at, 0, frame);
          case FORK -> {
            for (int target : program.forks(at)) {
              push(todo, target, frame);
            }
          }
          case CALL -> push(todo, program.a(at), frame(program.b(at), -1, frame));
          case RETURN -> {
            if (frame == null) {
              accepting = true;
            } else {
              push(todo, frame.at, frame.parent);
            }
          }
          case ENTER -> {
            int loop = program.a(at);
            push(todo, program.loop(loop).body(), frame(loop, 0, frame));
          }
          case AGAIN -> {
            Loop loop = program.loop(program.a(at));
            // Without a bound, more than the least is as good as the least.
            boolean bounded = loop.max() != Expression.Repeat.UNBOUNDED;
            int count = bounded ? frame.count + 1 : Math.min(frame.count + 1, loop.min());
            if (!bounded || count < loop.max()) {
              push(todo, loop.body(), frame(program.a(at), count, frame.parent));
            }
            if (count >= loop.min()) {
              push(todo, loop.next(), frame.parent);
            }
          }
        }
      }
    }

    private void push(ArrayDeque<Way> todo, int at, Frame frame) {
      if (seen.add(new WayKey(at, 0, frame == null ? -1 : frame.id))) {
        todo.push(new Way(at, 0, frame, -1));
      }
    }
  }
}
