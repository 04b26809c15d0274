package dev.gatun.generation.constraint;

import dev.gatun.generation.constraint.Expression.All;
import dev.gatun.generation.constraint.Expression.Characters;
import dev.gatun.generation.constraint.Expression.Choice;
import dev.gatun.generation.constraint.Expression.Difference;
import dev.gatun.generation.constraint.Expression.Repeat;
import dev.gatun.generation.constraint.Expression.Rule;
import dev.gatun.generation.constraint.Expression.Sequence;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;

/**
 * An expression as a graph of instructions, with a stack for rules and repetitions: a repetition
 * counts, so that its size does not depend on its bounds. {@link Automaton} runs it.
 */
public final class Program {
  /** What an instruction does; each has two numbers. */
  enum Kind {
    /** Reads by the terminal {@code a} and goes on at {@code b}. */
    READ,
    /** Goes on at each of the targets {@code a}. */
    FORK,
    /** Goes on at {@code a}, to return to {@code b}. */
    CALL,
    /** Goes on where the last call returns to. */
    RETURN,
    /** Begins the repetition {@code a}. */
    ENTER,
    /** Has read the body of the repetition {@code a} once more. */
    AGAIN
  }

  /**
   * A repetition that counts.
   *
   * @param body where its body begins
   * @param next what comes behind it
   */
  record Loop(int min, int max, int body, int next) {}

  private record Instruction(Kind kind, int a, int b) {}

  private final Shapes shapes;
  private final List<Instruction> code = new ArrayList<>();
  private final List<int[]> targets = new ArrayList<>();
  private final List<Loop> loops = new ArrayList<>();
  private final List<Terminal> terminals = new ArrayList<>();
  private final Map<Expression, Integer> known = new HashMap<>();
  private final Map<Rule, Integer> starts = new IdentityHashMap<>();
  private final List<Rule> unwritten = new ArrayList<>();
  // Of a READ whose characters are a repetition's whole body but for what begins otherwise.
  private final List<Boolean> plainBody = new ArrayList<>();
  // Of a READ behind which a repetition comes to itself again.
  private final List<Boolean> body = new ArrayList<>();
  private final int end;
  private final int start;
  private final int[] classes = new int[256];
  private int classCount;

  /**
   * Writes the program of an expression.
   *
   * @throws IllegalArgumentException where it has no text, or a rule that comes back to itself
   *     before anything is read
   */
  Program(Expression root) {
    shapes = new Shapes(root);
    List<Rule> left = shapes.leftRecursion();
    if (!left.isEmpty()) {
      throw new IllegalArgumentException(leftRecursion(left));
    }
    if (!shapes.isProductive(root)) {
      throw new IllegalArgumentException("no text matches it");
    }
    end = add(Kind.RETURN, 0, 0);
    start = write(root, end);
    while (!unwritten.isEmpty()) {
      Rule rule = unwritten.removeLast();
      set(starts.get(rule), Kind.FORK, targets(write(rule.body(), end)), 0);
    }
    classify();
  }

  /** What is wrong with rules that come back to themselves before anything is read. */
  static String leftRecursion(List<Rule> rules) {
    return "left recursion: %s comes back to itself before anything is read"
        .formatted(String.join(" > ", rules.stream().map(Rule::name).toList()));
  }

  private void classify() {
    boolean[] cuts = new boolean[256];
    // A space is told from all others: some tokenizers leave out a text's first.
    cuts[' '] = true;
    cuts[' ' + 1] = true;
    terminals.forEach(terminal -> terminal.cuts(cuts));
    for (int value = 1; value < 256; value++) {
      classes[value] = classes[value - 1] + (cuts[value] ? 1 : 0);
    }
    classCount = classes[255] + 1;
  }

  private int add(Kind kind, int a, int b) {
    code.add(new Instruction(kind, a, b));
    plainBody.add(false);
    body.add(false);
    return code.size() - 1;
  }

  private void set(int at, Kind kind, int a, int b) {
    code.set(at, new Instruction(kind, a, b));
  }

  private int targets(int... all) {
    targets.add(all);
    return targets.size() - 1;
  }

  private int fork(List<Integer> all) {
    if (all.size() == 1) {
      return all.getFirst();
    }
    return add(Kind.FORK, targets(all.stream().mapToInt(Integer::intValue).toArray()), 0);
  }

  /** Writes what reads an expression and goes on at {@code next}; gives where it begins. */
  private int write(Expression e, int next) {
    return switch (e) {
      case Characters _ -> add(Kind.READ, terminal(e), next);
      case All _, Difference _ -> {
        int terminal = terminal(e);
        List<Integer> ways = new ArrayList<>();
        if (terminals.get(terminal).continues(0)) {
          ways.add(add(Kind.READ, terminal, next));
        }
        if (terminals.get(terminal).accepts(0)) {
          ways.add(next);
        }
        yield fork(ways);
      }
      case Sequence sequence -> {
        int at = next;
        for (int i = sequence.parts().size() - 1; i >= 0; i--) {
          at = write(sequence.parts().get(i), at);
        }
        yield at;
      }
      case Choice choice -> {
        List<Integer> options = new ArrayList<>();
        for (Expression option : choice.options()) {
          if (shapes.isProductive(option)) {
            options.add(write(option, next));
          }
        }
        yield fork(options);
      }
      case Rule rule -> {
        Integer at = starts.get(rule);
        if (at == null) {
          at = add(Kind.FORK, -1, 0);
          starts.put(rule, at);
          unwritten.add(rule);
        }
        // What ends with a rule returns from it to where the whole returns to.
        yield next == end ? at : add(Kind.CALL, at, next);
      }
      case Repeat repeat -> repeat(repeat, next);
    };
  }

  private int repeat(Repeat repeat, int next) {
    if (!shapes.isProductive(repeat.body())) {
      return next;
    }
    Expression of = repeat.body();
    // Without a call, tokens of plain text are seen to stay in it.
    while (of instanceof Rule rule && !shapes.isRecursive(rule)) {
      of = rule.body();
    }
    boolean nullable = shapes.isNullable(of);
    Expression body = nullable ? shapes.withoutEmpty(of) : of;
    if (!shapes.isProductive(body)) {
      return next;
    }
    int min = nullable ? 0 : repeat.min();
    if (repeat.max() == 1) {
      return fork(List.of(write(body, next), next));
    }
    boolean counts = min > 1 || repeat.max() != Repeat.UNBOUNDED;
    int first = code.size();
    int again = counts ? add(Kind.AGAIN, loops.size(), 0) : add(Kind.FORK, -1, 0);
    int at;
    if (counts) {
      int loop = loops.size();
      loops.add(null);
      int begin = write(body, again);
      loops.set(loop, new Loop(min, repeat.max(), begin, next));
      int enter = add(Kind.ENTER, loop, 0);
      at = min == 0 ? fork(List.of(enter, next)) : enter;
    } else {
      int begin = write(body, again);
      set(again, Kind.FORK, targets(begin, next), 0);
      at = min == 0 ? again : begin;
    }
    markBodies(body, first, again);
    return at;
  }

  /** Notes the readings behind which the repetition's body may be read by the same again. */
  private void markBodies(Expression body, int first, int again) {
    List<Expression> options = body instanceof Choice choice ? choice.options() : List.of(body);
    for (int i = first; i < code.size(); i++) {
      Instruction each = code.get(i);
      if (each.kind == Kind.READ && each.b == again) {
        this.body.set(
            i,
            options.stream()
                .anyMatch(o -> o instanceof Characters && each.a == known.getOrDefault(o, -1)));
      }
    }
    markPlain(options, first, again);
  }

  /** Notes the one reading of plain characters that is a body, if what else is in it is told. */
  private void markPlain(List<Expression> options, int first, int again) {
    Characters found = null;
    for (Expression option : options) {
      if (option instanceof Characters c && c.set().containsAll(PlainText.SET) && found == null) {
        found = c;
      } else if (shapes.beginsPlain(option)) {
        return;
      }
    }
    for (int i = first; found != null && i < code.size(); i++) {
      Instruction each = code.get(i);
      if (each.kind == Kind.READ && each.b == again && each.a == known.get(found)) {
        plainBody.set(i, true);
      }
    }
  }

  private int terminal(Expression e) {
    Integer at = known.get(e);
    if (at == null) {
      terminals.add(
          e instanceof Characters characters ? new Utf8(characters.set()) : new RegularTerminal(e));
      at = terminals.size() - 1;
      known.put(e, at);
    }
    return at;
  }

  int start() {
    return start;
  }

  Kind kind(int at) {
    return code.get(at).kind;
  }

  int a(int at) {
    return code.get(at).a;
  }

  int b(int at) {
    return code.get(at).b;
  }

  int[] forks(int at) {
    return targets.get(code.get(at).a);
  }

  Loop loop(int index) {
    return loops.get(index);
  }

  Terminal terminal(int at) {
    return terminals.get(code.get(at).a);
  }

  /** Whether plain characters stay in the repetition that they are in, whatever they are. */
  boolean isPlainBody(int at) {
    return plainBody.get(at);
  }

  /** Whether behind what an instruction reads its terminal may be read again, as a body. */
  boolean isBody(int at) {
    return body.get(at);
  }

  /** Where the repetition that an instruction reads the body of ends: its AGAIN or FORK. */
  int again(int at) {
    return code.get(at).b;
  }

  /** Bytes of the same class are read alike; classes are ranges, in order. */
  int classOf(int value) {
    return classes[value];
  }

  int classes() {
    return classCount;
  }

  /** The first byte of each class. */
  int[] representatives() {
    int[] first = new int[classCount];
    for (int value = 255; value >= 0; value--) {
      first[classes[value]] = value;
    }
    return first;
  }

  /** Marks the bytes that are told from the one before them. */
  void cuts(boolean[] cuts) {
    for (int value = 1; value < 256; value++) {
      cuts[value] |= classes[value] != classes[value - 1];
    }
  }

  /** The number of instructions. */
  int size() {
    return code.size();
  }
}
