package dev.gatun.generation.constraint;

import dev.gatun.generation.constraint.Expression.Rule;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Reads grammars of llama.cpp's notation, GBNF. */
final class GbnfParser {
  private static final int DEEPEST = 200;
  private static final int MOST_TIMES = 100_000;
  private static final String ROOT = "root";

  private final String source;
  private final Map<String, Rule> rules = new LinkedHashMap<>();
  private final Map<String, Integer> firstUse = new LinkedHashMap<>();
  private final Map<String, Integer> defined = new LinkedHashMap<>();
  private int at;
  private int depth;

  private GbnfParser(String source) {
    this.source = source;
  }

  /**
   * The language of the rule {@code root}.
   *
   * @throws IllegalArgumentException where the grammar is damaged, with line and column
   */
  static Expression read(String source) {
    GbnfParser parser = new GbnfParser(source);
    parser.rules();
    return parser.root();
  }

  private Expression root() {
    firstUse.forEach(
        (name, place) -> {
          if (rules.get(name).body() == null) {
            at = place;
            throw wrong("the rule '%s' is not defined".formatted(name));
          }
        });
    Rule root = rules.get(ROOT);
    if (root == null) {
      at = source.length();
      throw wrong("there is no rule 'root', which a grammar begins with");
    }
    List<Rule> left = new Shapes(root).leftRecursion();
    if (!left.isEmpty()) {
      at = defined.get(left.getFirst().name());
      throw wrong(Program.leftRecursion(left));
    }
    return root;
  }

  private void rules() {
    space(true);
    while (at < source.length()) {
      int begin = at;
      String name = name();
      if (name.isEmpty()) {
        throw wrong("expected a rule's name");
      }
      space(false);
      if (!source.startsWith("::=", at)) {
        throw wrong("expected '::=' behind the name of the rule '%s'".formatted(name));
      }
      at += 3;
      space(true);
      Rule rule = rule(name);
      if (rule.body() != null) {
        at = begin;
        throw wrong("the rule '%s' is defined a second time".formatted(name));
      }
      defined.put(name, begin);
      rule.define(alternatives(false));
      if (at < source.length() && peek() != '\n' && peek() != '\r') {
        throw wrong("expected the end of the line, or a part of the rule '%s'".formatted(name));
      }
      space(true);
    }
  }

  private Rule rule(String name) {
    return rules.computeIfAbsent(name, Rule::new);
  }

  private String name() {
    int begin = at;
    while (at < source.length() && isWord(source.charAt(at))) {
      at++;
    }
    return source.substring(begin, at);
  }

  private static boolean isWord(char c) {
    return c < 0x80 && Character.isLetterOrDigit(c) || c == '-' || c == '_';
  }

  /** Passes over spaces and comments, and ends of lines where a rule goes on behind them. */
  private void space(boolean lines) {
    while (at < source.length()) {
      char c = source.charAt(at);
      if (c == '#') {
        while (at < source.length() && source.charAt(at) != '\n' && source.charAt(at) != '\r') {
          at++;
        }
      } else if (c == ' ' || c == '\t' || lines && (c == '\n' || c == '\r')) {
        at++;
      } else {
        return;
      }
    }
  }

  private Expression alternatives(boolean nested) {
    List<Expression> options = new ArrayList<>();
    options.add(sequence(nested));
    while (at < source.length() && peek() == '|') {
      at++;
      space(true);
      options.add(sequence(nested));
    }
    return Expression.choice(options);
  }

  private Expression sequence(boolean nested) {
    List<Expression> parts = new ArrayList<>();
    while (at < source.length()) {
      char c = source.charAt(at);
      if (c == '"') {
        parts.add(literal());
      } else if (c == '[') {
        parts.add(Expression.set(characterClass()));
      } else if (c == '(') {
        parts.add(group());
      } else if (c == '.') {
        at++;
        parts.add(Expression.set(CodePoints.ALL));
      } else if (c == '*' || c == '+' || c == '?' || c == '{') {
        if (parts.isEmpty()) {
          throw wrong("'%c' with nothing to repeat".formatted(c));
        }
        parts.add(repeated(parts.removeLast(), nested));
      } else if (isWord(c)) {
        int begin = at;
        String name = name();
        firstUse.putIfAbsent(name, begin);
        parts.add(rule(name));
      } else if (c == '<' || c == '!') {
        throw wrong("'%c', a token by its id, which is not supported".formatted(c));
      } else {
        break;
      }
      space(nested);
    }
    return Expression.sequence(parts);
  }

  private Expression group() {
    int begin = at;
    if (++depth > DEEPEST) {
      throw wrong("groups nested more than %d deep".formatted(DEEPEST));
    }
    at++;
    space(true);
    Expression inner = alternatives(true);
    if (at == source.length() || peek() != ')') {
      if (at == source.length()) {
        at = begin;
        throw wrong("'(' without a ')'");
      }
      throw wrong("expected ')' or a part of the group");
    }
    at++;
    depth--;
    return inner;
  }

  private Expression repeated(Expression body, boolean nested) {
    char c = source.charAt(at);
    int begin = at++;
    if (c != '{') {
      return Expression.repeat(body, c == '+' ? 1 : 0, c == '?' ? 1 : Expression.Repeat.UNBOUNDED);
    }
    space(nested);
    int min = peek() == ',' ? 0 : number();
    space(nested);
    int max = min;
    if (peek() == ',') {
      at++;
      space(nested);
      max = peek() == '}' ? Expression.Repeat.UNBOUNDED : number();
      space(nested);
    }
    if (peek() != '}') {
      throw wrong("expected '}' of a repetition");
    }
    at++;
    if (max < min) {
      at = begin;
      throw wrong("a repetition of %d to %d times".formatted(min, max));
    }
    return Expression.repeat(body, min, max);
  }

  private int number() {
    int begin = at;
    long value = 0;
    while (peek() >= '0' && peek() <= '9') {
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

  private Expression literal() {
    int begin = at++;
    StringBuilder text = new StringBuilder();
    while (peek() != '"') {
      if (at == source.length() || peek() == '\n') {
        at = begin;
        throw wrong("'\"' without its end");
      }
      text.appendCodePoint(character());
    }
    at++;
    return Expression.text(text.toString());
  }

  private CodePoints characterClass() {
    int begin = at++;
    boolean negated = peek() == '^';
    at += negated ? 1 : 0;
    CodePoints all = CodePoints.NONE;
    while (peek() != ']') {
      if (at == source.length() || peek() == '\n') {
        at = begin;
        throw wrong("'[' without a ']'");
      }
      int one = at;
      int first = character();
      int last = first;
      if (peek() == '-' && at + 1 < source.length() && source.charAt(at + 1) != ']') {
        at++;
        last = character();
      }
      if (last < first) {
        at = one;
        throw wrong("a range whose ends are not in order");
      }
      all = all.union(CodePoints.range(first, last));
    }
    at++;
    return negated ? all.complement() : all;
  }

  private int character() {
    int c = source.codePointAt(at);
    if (c != '\\') {
      at += Character.charCount(c);
      return c;
    }
    int begin = at;
    at += 2;
    char kind = at <= source.length() ? source.charAt(at - 1) : 0;
    return switch (kind) {
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case '\\', '"', '[', ']', '-', '^' -> kind;
      case 'x' -> hex(2);
      case 'u' -> hex(4);
      case 'U' -> hex(8);
      default -> {
        at = begin;
        throw wrong("an escape that is none of \\n \\r \\t \\\\ \\\" \\[ \\] \\x \\u \\U");
      }
    };
  }

  private int hex(int digits) {
    int end = at + digits;
    if (end > source.length() || !source.substring(at, end).matches("[0-9a-fA-F]+")) {
      throw wrong("expected %d hexadecimal digits".formatted(digits));
    }
    long value = Long.parseLong(source, at, end, 16);
    if (!CodePoints.ALL.contains((int) Math.min(value, Integer.MAX_VALUE))) {
      throw wrong("U+%04X is no character".formatted(value));
    }
    at = end;
    return (int) value;
  }

  /** The next character; 0 at the end. */
  private char peek() {
    return at < source.length() ? source.charAt(at) : 0;
  }

  private IllegalArgumentException wrong(String what) {
    int line = 1;
    int column = 1;
    for (int i = 0; i < Math.min(at, source.length()); i++) {
      boolean end = source.charAt(i) == '\n';
      line += end ? 1 : 0;
      column = end ? 1 : column + 1;
    }
    return new IllegalArgumentException(
        "grammar, line %d, column %d: %s".formatted(line, column, what));
  }
}
