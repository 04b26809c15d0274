package dev.gatun.text.jinja;

import dev.gatun.text.jinja.TemplateException.Kind;
import dev.gatun.text.jinja.Token.Type;
import java.util.List;
import java.util.Map;

/** The tokens of a template, read one by one, and how deep their reader is. */
final class Tokens {
  private static final int MOST_DEPTH = 150;
  private static final Map<Type, String> NAMES =
      Map.of(
          Type.NAME, "name",
          Type.STRING, "string",
          Type.BLOCK_END, "end of statement block",
          Type.PRINT_END, "end of print statement");

  private final String source;
  private final List<Token> tokens;
  private int at;
  private int depth;

  Tokens(String source) {
    this.source = source;
    this.tokens = new Lexer(source).tokens();
  }

  Token now() {
    return tokens.get(at);
  }

  Token peek() {
    return tokens.get(Math.min(at + 1, tokens.size() - 1));
  }

  Token next() {
    Token token = now();
    if (!token.is(Type.EOF)) {
      at++;
    }
    return token;
  }

  boolean skipOp(String operator) {
    boolean found = now().op(operator);
    if (found) {
      next();
    }
    return found;
  }

  boolean skipName(String name) {
    boolean found = now().name(name);
    if (found) {
      next();
    }
    return found;
  }

  Token expect(Type type) {
    if (!now().is(type)) {
      throw expected(NAMES.get(type));
    }
    return next();
  }

  void expectOp(String operator) {
    if (!skipOp(operator)) {
      throw expected(operator);
    }
  }

  void expectName(String name) {
    if (!skipName(name)) {
      throw expected(name);
    }
  }

  private TemplateException expected(String what) {
    String quoted = Values.quote(what);
    return now().is(Type.EOF)
        ? fail("unexpected end of template, expected " + quoted + ".")
        : fail("expected token %s, got %s".formatted(quoted, Values.quote(now().text())));
  }

  /** Whether a name was read since the token at {@code from}. */
  boolean read(String name, int from) {
    return tokens.subList(from, at).stream().anyMatch(token -> token.name(name));
  }

  int position() {
    return at;
  }

  TemplateException fail(String reason) {
    return fail(Kind.SYNTAX, reason, now().at());
  }

  TemplateException fail(Kind kind, String reason, int offset) {
    return new TemplateException(kind, reason).at(source, offset);
  }

  /** Enters something that nests. */
  void enter() {
    if (++depth > MOST_DEPTH) {
      throw fail(Kind.RECURSION, "", now().at());
    }
  }

  void leave() {
    leave(1);
  }

  void leave(int levels) {
    depth -= levels;
  }
}
