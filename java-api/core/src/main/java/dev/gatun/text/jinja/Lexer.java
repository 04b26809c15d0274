package dev.gatun.text.jinja;

import dev.gatun.text.jinja.TemplateException.Kind;
import dev.gatun.text.jinja.Token.Type;
import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Cuts a template into tokens; the white space rules of blocks are applied here. */
final class Lexer {
  private static final Pattern RAW_BEGIN = Pattern.compile("\\{%([-+]?)\\s*raw\\s*(-?)%\\}");
  private static final Pattern RAW_END = Pattern.compile("\\{%([-+]?)\\s*endraw\\s*([-+]?)%\\}");
  private static final Pattern FLOAT =
      Pattern.compile(
          "(?<!\\.)(\\d+_)*\\d+((\\.(\\d+_)*\\d+)?[eE][+\\-]?(\\d+_)*\\d+|\\.(\\d+_)*\\d+)");
  private static final Pattern INTEGER =
      Pattern.compile("0[bB](_?[01])+|0[oO](_?[0-7])+|0[xX](_?[\\da-fA-F])+|[1-9](_?\\d)*|0(_?0)*");
  private static final Pattern NAME =
      Pattern.compile("[\\p{L}_\\p{Nl}][\\p{L}\\p{M}\\p{N}_\\p{Pc}]*");
  private static final Pattern STRING =
      Pattern.compile("'((?:[^'\\\\]|\\\\.)*+)'|\"((?:[^\"\\\\]|\\\\.)*+)\"", Pattern.DOTALL);
  private static final Pattern OPERATOR =
      Pattern.compile("//|\\*\\*|==|!=|>=|<=|[-+/*%~\\[\\](){}<>=.:|,;]");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int at;
  private boolean stripNext;
  private boolean trimNewline;

  Lexer(String source) {
    this.source = source;
  }

  /** The source as templates are read: lines end with a newline, the last one without. */
  static String normal(String source) {
    String lines = source.replace("\r\n", "\n").replace('\r', '\n');
    return lines.endsWith("\n") ? lines.substring(0, lines.length() - 1) : lines;
  }

  List<Token> tokens() {
    while (at < source.length()) {
      int open = nextOpen();
      if (open < 0) {
        data(at, source.length(), "", false);
        at = source.length();
        break;
      }
      char kind = source.charAt(open + 1);
      String sign = open + 2 < source.length() ? source.substring(open + 2, open + 3) : "";
      boolean signed = sign.equals("-") || sign.equals("+");
      data(at, open, signed ? sign : "", kind != '{');
      Matcher raw = RAW_BEGIN.matcher(source).region(open, source.length());
      if (kind == '#') {
        comment(open);
      } else if (kind == '%' && raw.lookingAt()) {
        raw(raw, open);
      } else {
        at = open + 2 + (signed ? 1 : 0);
        boolean block = kind == '%';
        add(
            block ? Type.BLOCK_BEGIN : Type.PRINT_BEGIN,
            block ? "begin of statement block" : "begin of print statement",
            null,
            open);
        inside(block);
      }
    }
    add(Type.EOF, "end of template", null, source.length());
    return tokens;
  }

  private int nextOpen() {
    for (int i = source.indexOf('{', at); i >= 0; i = source.indexOf('{', i + 1)) {
      if (i + 1 < source.length() && "{%#".indexOf(source.charAt(i + 1)) >= 0) {
        return i;
      }
    }
    return -1;
  }

  private void data(int from, int to, String sign, boolean block) {
    int start = from;
    if (stripNext) {
      while (start < to && Character.isWhitespace(source.charAt(start))) {
        start++;
      }
    } else if (trimNewline && start < to && source.charAt(start) == '\n') {
      start++;
    }
    stripNext = false;
    trimNewline = false;
    int end = to;
    if (sign.equals("-")) {
      while (end > start && Character.isWhitespace(source.charAt(end - 1))) {
        end--;
      }
    } else if (block && sign.isEmpty()) {
      int line = source.lastIndexOf('\n', to - 1) + 1;
      // A line's start counts only where no tag came before on it.
      boolean ownLine = line > from || from == 0 || from > 0 && line == from;
      int begin = Math.max(line, start);
      if (ownLine && source.substring(Math.max(line, from), to).isBlank()) {
        end = Math.min(end, begin);
      }
    }
    if (end > start) {
      add(Type.DATA, "template data / text", Text.template(source.substring(start, end)), start);
    }
  }

  private void comment(int open) {
    int close = source.indexOf("#}", open + 2);
    if (close < 0) {
      throw fail("Missing end of comment tag", open);
    }
    after(close > open + 2 ? source.charAt(close - 1) : ' ');
    at = close + 2;
  }

  private void after(char sign) {
    stripNext = sign == '-';
    trimNewline = sign != '-' && sign != '+';
  }

  private void raw(Matcher begin, int open) {
    Matcher end = RAW_END.matcher(source);
    if (!end.find(begin.end())) {
      throw fail("Missing end of raw directive", open);
    }
    after(begin.group(2).isEmpty() ? ' ' : '-');
    data(begin.end(), end.start(), end.group(1), true);
    after(end.group(2).isEmpty() ? ' ' : end.group(2).charAt(0));
    at = end.end();
  }

  private void inside(boolean block) {
    Deque<Character> open = new ArrayDeque<>();
    while (at < source.length()) {
      char c = source.charAt(at);
      if (Character.isWhitespace(c)) {
        at++;
        continue;
      }
      if (open.isEmpty() && ends(block)) {
        return;
      }
      if (match(FLOAT)) {
        String digits = take(FLOAT);
        add(Type.FLOAT, "float", Double.valueOf(digits.replace("_", "")), at - digits.length());
      } else if (match(INTEGER)) {
        String digits = take(INTEGER);
        add(Type.INTEGER, "integer", integer(digits.replace("_", "")), at - digits.length());
      } else if (match(NAME)) {
        String name = take(NAME);
        add(Type.NAME, name, null, at - name.length());
      } else if (match(STRING)) {
        String quoted = take(STRING);
        int start = at - quoted.length();
        Object text = Text.template(Escapes.read(quoted.substring(1, quoted.length() - 1)));
        add(Type.STRING, "string", text, start);
      } else if (match(OPERATOR)) {
        String operator = take(OPERATOR);
        int start = at - operator.length();
        balance(open, operator.charAt(0), start);
        add(Type.OPERATOR, operator, null, start);
      } else {
        throw fail(
            "unexpected char "
                + Values.quote(source.substring(at, source.offsetByCodePoints(at, 1)))
                + " at "
                + source.codePointCount(0, at),
            at);
      }
    }
  }

  private boolean ends(boolean block) {
    String close = block ? "%}" : "}}";
    char sign = source.charAt(at);
    boolean signed = sign == '-' || block && sign == '+';
    if (!source.startsWith(close, signed ? at + 1 : at)) {
      return false;
    }
    add(
        block ? Type.BLOCK_END : Type.PRINT_END,
        block ? "end of statement block" : "end of print statement",
        null,
        at);
    if (block) {
      after(signed ? sign : ' ');
    } else {
      stripNext = signed;
    }
    at += signed ? 3 : 2;
    return true;
  }

  private void balance(Deque<Character> open, char c, int start) {
    switch (c) {
      case '(' -> open.push(')');
      case '[' -> open.push(']');
      case '{' -> open.push('}');
      case ')', ']', '}' -> {
        if (open.isEmpty()) {
          throw fail("unexpected '" + c + "'", start);
        }
        char expected = open.pop();
        if (expected != c) {
          throw fail("unexpected '%s', expected '%s'".formatted(c, expected), start);
        }
      }
      default -> {}
    }
  }

  private static BigInteger integer(String digits) {
    String lower = digits.toLowerCase(java.util.Locale.ROOT);
    int radix =
        lower.startsWith("0x") ? 16 : lower.startsWith("0o") ? 8 : lower.startsWith("0b") ? 2 : 10;
    return new BigInteger(radix == 10 ? lower : lower.substring(2), radix);
  }

  private boolean match(Pattern pattern) {
    return matcher(pattern).lookingAt();
  }

  private Matcher matcher(Pattern pattern) {
    return pattern.matcher(source).region(at, source.length()).useTransparentBounds(true);
  }

  private String take(Pattern pattern) {
    Matcher matcher = matcher(pattern);
    matcher.lookingAt();
    at = matcher.end();
    return matcher.group();
  }

  private void add(Type type, String text, Object value, int offset) {
    tokens.add(new Token(type, text, value, offset));
  }

  private TemplateException fail(String reason, int offset) {
    return new TemplateException(Kind.SYNTAX, reason).at(source, offset);
  }
}
