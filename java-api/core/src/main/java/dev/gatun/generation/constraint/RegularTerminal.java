package dev.gatun.generation.constraint;

import dev.gatun.generation.constraint.Expression.All;
import dev.gatun.generation.constraint.Expression.Difference;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What several languages have in common, or one has and another lacks: all of them are read beside
 * each other. States are made when they are met. One from which nothing is accepted any more is
 * found by a search, and counts as dead. Safe for use by several threads, for constraints are.
 */
final class RegularTerminal implements Terminal {
  private static final int MOST_STATES = 200_000;

  private static final int UNKNOWN = 0;
  private static final int LIVE = 1;
  private static final int LOST = 2;

  private final Expression expression;
  private final Map<Expression, Integer> places = new HashMap<>();
  private final List<Automaton> parts = new ArrayList<>();
  private final Map<Key, Integer> ids = new HashMap<>();
  private final List<Automaton.State[]> states = new ArrayList<>();
  private final List<int[]> next = new ArrayList<>();
  private final List<Integer> fate = new ArrayList<>();
  private final int[] classes = new int[256];
  private final int[] representatives;

  private static final class NothingLeft extends IllegalArgumentException {
    private static final long serialVersionUID = 1;

    NothingLeft() {
      super("no text matches it");
    }
  }

  private record Key(List<Automaton.State> states) {}

  /**
   * The terminal of an expression.
   *
   * @throws IllegalArgumentException where nothing is left of it, or that is too much to find out
   */
  RegularTerminal(Expression expression) {
    this.expression = expression;
    collect(expression);
    boolean[] cuts = new boolean[256];
    parts.forEach(part -> part.program().cuts(cuts));
    for (int value = 1; value < 256; value++) {
      classes[value] = classes[value - 1] + (cuts[value] ? 1 : 0);
    }
    representatives = new int[classes[255] + 1];
    for (int value = 255; value >= 0; value--) {
      representatives[classes[value]] = value;
    }
    id(parts.stream().map(Automaton::start).toArray(Automaton.State[]::new));
    if (!isLive(0)) {
      throw new NothingLeft();
    }
  }

  /** Whether anything is left of an expression. */
  static boolean hasText(Expression expression) {
    try {
      return new RegularTerminal(expression).states.size() > 0;
    } catch (NothingLeft e) {
      return false;
    }
  }

  private void collect(Expression e) {
    switch (e) {
      case All all -> all.parts().forEach(this::collect);
      case Difference difference -> {
        collect(difference.from());
        collect(difference.without());
      }
      default -> {
        if (places.putIfAbsent(e, parts.size()) == null) {
          parts.add(new Automaton(new Program(e)));
        }
      }
    }
  }

  private int id(Automaton.State[] state) {
    Integer found = ids.putIfAbsent(new Key(Arrays.asList(state)), states.size());
    if (found != null) {
      return found;
    }
    if (states.size() >= MOST_STATES) {
      throw new IllegalArgumentException(
          "what the patterns and lengths leave takes more than %d states: simplify them"
              .formatted(MOST_STATES));
    }
    states.add(state);
    int[] row = new int[representatives.length];
    Arrays.fill(row, -2);
    next.add(row);
    fate.add(UNKNOWN);
    return states.size() - 1;
  }

  private boolean accepts(Expression e, Automaton.State[] state) {
    return switch (e) {
      case All all -> all.parts().stream().allMatch(part -> accepts(part, state));
      case Difference difference ->
          accepts(difference.from(), state) && !accepts(difference.without(), state);
      default -> state[places.get(e)].isAccepting();
    };
  }

  private boolean isDead(Expression e, Automaton.State[] state) {
    return switch (e) {
      case All all -> all.parts().stream().anyMatch(part -> isDead(part, state));
      case Difference difference -> isDead(difference.from(), state);
      default -> state[places.get(e)].isDead();
    };
  }

  /** The state behind a class of bytes, whatever becomes of it; -1 where a part ends there. */
  private int reach(int state, int index) {
    int[] row = next.get(state);
    if (row[index] == -2) {
      Automaton.State[] from = states.get(state);
      Automaton.State[] to = new Automaton.State[from.length];
      for (int i = 0; i < to.length; i++) {
        to[i] = parts.get(i).next(from[i], representatives[index]);
      }
      row[index] = isDead(expression, to) ? DEAD : id(to);
    }
    return row[index];
  }

  private boolean isLive(int first) {
    if (fate.get(first) != UNKNOWN) {
      return fate.get(first) == LIVE;
    }
    Map<Integer, Integer> parents = new HashMap<>();
    ArrayDeque<Integer> todo = new ArrayDeque<>();
    parents.put(first, -1);
    todo.add(first);
    while (!todo.isEmpty()) {
      int state = todo.poll();
      if (fate.get(state) == LIVE || accepts(expression, states.get(state))) {
        for (int at = state; at >= 0; at = parents.get(at)) {
          fate.set(at, LIVE);
        }
        return true;
      }
      for (int i = 0; i < representatives.length; i++) {
        int to = reach(state, i);
        if (to >= 0 && fate.get(to) != LOST && !parents.containsKey(to)) {
          parents.put(to, state);
          todo.add(to);
        }
      }
    }
    parents.keySet().forEach(state -> fate.set(state, LOST));
    return false;
  }

  @Override
  public synchronized int step(int state, int value) {
    int to = reach(state, classes[value]);
    return to >= 0 && isLive(to) ? to : DEAD;
  }

  @Override
  public synchronized boolean accepts(int state) {
    return accepts(expression, states.get(state));
  }

  @Override
  public synchronized boolean continues(int state) {
    for (int value : representatives) {
      if (step(state, value) != DEAD) {
        return true;
      }
    }
    return false;
  }

  @Override
  public synchronized int only(int state) {
    int found = -1;
    for (int value = 0; value < 256; value++) {
      if (step(state, value) != DEAD) {
        if (found >= 0) {
          return -1;
        }
        found = value;
      }
    }
    return found;
  }

  @Override
  public boolean beginsPlain() {
    return true;
  }

  @Override
  public void cuts(boolean[] cuts) {
    for (int value = 1; value < 256; value++) {
      cuts[value] |= classes[value] != classes[value - 1];
    }
  }
}
