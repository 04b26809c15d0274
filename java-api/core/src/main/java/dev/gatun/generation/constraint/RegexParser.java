package dev.gatun.generation.constraint;

import java.util.ArrayList;
import java.util.List;

/**
 * Reads regular expressions of ECMA-262 with the flag u, as JSON Schema has them: what no automaton
 * can do, or what depends on what is around, is refused.
 */
final class RegexParser {
  private static final int DEEPEST = 200;
  private static final int MOST_TIMES = 100_000;

  private final String source;
  private final boolean search;
  private int at;
  private int depth;

  private RegexParser(String source, boolean search) {
    this.source = source;
    this.search = search;
  }

  /**
   * The texts that an expression matches as a whole.
   *
   * @throws IllegalArgumentException where it is damaged, or has what is not supported
   */
  static Expression whole(String source) {
    return new RegexParser(source, false).read();
  }

  /**
   * The texts in which it matches somewhere, as JSON Schema's patterns do.
   *
   * @throws IllegalArgumentException as {@link #whole}
   */
  static Expression anywhere(String source) {
    return new RegexParser(source, true).read();
  }

  private Expression read() {
    List<Expression> options = new ArrayList<>();
    do {
      options.add(top());
    } while (take('|'));
    if (at < source.length()) {
      throw wrong("')' without a '('");
    }
    return Expression.choice(options);
  }

  /** An alternative of the whole, which alone may have anchors. */
  private Expression top() {
    boolean begins = false;
    while (take('^')) {
      begins = true;
    }
    Expression inner = sequence(true);
    boolean ends = false;
    while (take('$')) {
      ends = true;
    }
    if (at < source.length() && peek() != '|' && peek() != ')') {
      at--;
      throw wrong("'$' with something behind it");
    }
    Expression any = Expression.star(Expression.set(CodePoints.ALL));
    return Expression.sequence(
        search && !begins ? any : Expression.EMPTY,
        inner,
        search && !ends ? any : Expression.EMPTY);
  }

  private Expression alternatives() {
    if (++depth > DEEPEST) {
      throw wrong("groups nested more than " + DEEPEST + " deep");
    }
    List<Expression> options = new ArrayList<>();
    do {
      options.add(sequence(false));
    } while (take('|'));
    depth--;
    return Expression.choice(options);
  }

  private Expression sequence(boolean top) {
    List<Expression> parts = new ArrayList<>();
    while (at < source.length() && peek() != '|' && peek() != ')') {
      if (peek() == '$' && top) {
        break;
      }
      parts.add(quantified(atom()));
    }
    return Expression.sequence(parts);
  }

  private Expression quantified(Expression atom) {
    if (at == source.length()) {
      return atom;
    }
    int begin = at;
    int min;
    int max;
    switch (peek()) {
      case '*' -> {
        min = 0;
        max = Expression.Repeat.UNBOUNDED;
        at++;
      }
      case '+' -> {
        min = 1;
        max = Expression.Repeat.UNBOUNDED;
        at++;
      }
      case '?' -> {
        min = 0;
        max = 1;
        at++;
      }
      case '{' -> {
        at++;
        min = number();
        max = min;
        if (take(',')) {
          max = at < source.length() && peek() == '}' ? Expression.Repeat.UNBOUNDED : number();
        }
        if (!take('}')) {
          throw wrong("expected '}' of a repetition");
        }
      }
      default -> {
        return atom;
      }
    }
    if (max < min) {
      at = begin;
      throw wrong("a repetition of %d to %d times".formatted(min, max));
    }
    // A lazy repetition has the same texts.
    if (!take('?') && at < source.length() && (peek() == '+' || peek() == '*')) {
      throw wrong("'%c' behind a repetition".formatted(source.charAt(at)));
    }
    return Expression.repeat(atom, min, max);
  }

  private int number() {
    int begin = at;
    long value = 0;
    while (at < source.length() && peek() >= '0' && peek() <= '9') {
      value = Math.min(10 * value + peek() - '0', Integer.MAX_VALUE);
      at++;
    }
    if (at == begin) {
      throw wrong("expected a number of repetitions");
    }
    if (value > MOST_TIMES) {
      at = begin;
      throw wrong("more than %d repetitions".formatted(MOST_TIMES));
    }
    return (int) value;
  }

  private Expression atom() {
    int c = source.codePointAt(at);
    switch (c) {
      case '(' -> {
        return group();
      }
      case '[' -> {
        return Expression.set(characterClass());
      }
      case '.' -> {
        at++;
        return Expression.set(CodePoints.ALL.minus(CodePoints.ofAll("\n\r\u2028\u2029")));
      }
      case '\\' -> {
        return Expression.set(RegexEscapes.read(this, false));
      }
      case '^', '$' ->
          throw wrong("'%c' is supported at the ends of the whole alone".formatted((char) c));
      case '*', '+', '?', '{' -> throw wrong("'%c' with nothing to repeat".formatted((char) c));
      case ']', '}' -> throw wrong("'%c' without its beginning: write \\%c".formatted(c, c));
      default -> {
        at += Character.charCount(c);
        return Expression.set(CodePoints.of(c));
      }
    }
  }

  private Expression group() {
    int begin = at;
    at++;
    if (take('?')) {
      if (source.startsWith("<=", at) || source.startsWith("<!", at)) {
        at = begin;
        throw wrong("lookbehind, which is not supported");
      } else if (take('=') || take('!')) {
        at = begin;
        throw wrong("lookahead, which is not supported");
      } else if (take('<')) {
        int end = source.indexOf('>', at);
        if (end <= at) {
          throw wrong("expected a group's name and '>'");
        }
        at = end + 1;
      } else if (!take(':')) {
        at = begin;
        throw wrong("flags in a group, which are not supported");
      }
    }
    Expression inner = alternatives();
    if (!take(')')) {
      at = begin;
      throw wrong("'(' without a ')'");
    }
    return inner;
  }

  private CodePoints characterClass() {
    int begin = at;
    at++;
    boolean negated = take('^');
    CodePoints all = CodePoints.NONE;
    while (true) {
      if (at == source.length()) {
        at = begin;
        throw wrong("'[' without a ']'");
      }
      if (take(']')) {
        return negated ? all.complement() : all;
      }
      int one = at;
      CodePoints first = member();
      boolean range =
          at + 1 < source.length() && source.charAt(at) == '-' && source.charAt(at + 1) != ']';
      if (range) {
        at++;
        CodePoints last = member();
        if (single(first) < 0 || single(last) < 0 || single(last) < single(first)) {
          at = one;
          throw wrong("a range whose ends are no characters in order");
        }
        first = CodePoints.range(single(first), single(last));
      }
      all = all.union(first);
    }
  }

  private static int single(CodePoints set) {
    return set.ranges() == 1 && set.first(0) == set.last(0) ? set.first(0) : -1;
  }

  private CodePoints member() {
    if (at == source.length()) {
      throw wrong("'[' without a ']'");
    }
    int c = source.codePointAt(at);
    if (c == '\\') {
      return RegexEscapes.read(this, true);
    }
    at += Character.charCount(c);
    return CodePoints.of(c);
  }

  String source() {
    return source;
  }

  int at() {
    return at;
  }

  void go(int to) {
    at = to;
  }

  int peek() {
    return source.charAt(at);
  }

  boolean take(char wanted) {
    if (at < source.length() && source.charAt(at) == wanted) {
      at++;
      return true;
    }
    return false;
  }

  IllegalArgumentException wrong(String what) {
    return new IllegalArgumentException(
        "regular expression '%s', character %d: %s".formatted(source, at + 1, what));
  }
}
