package dev.gatun.text.jinja;

import dev.gatun.text.jinja.Node.Expr;
import dev.gatun.text.jinja.Node.Stmt;
import dev.gatun.text.jinja.Node.Target;
import dev.gatun.text.jinja.TemplateException.Kind;
import dev.gatun.text.jinja.Token.Type;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Reads statements. */
final class Parser {
  private final Tokens in;
  private final ExpressionParser expressions;
  private final Deque<String> open = new ArrayDeque<>();
  private final Deque<List<String>> ends = new ArrayDeque<>();
  private int loops;

  Parser(String source) {
    in = new Tokens(source);
    expressions = new ExpressionParser(in);
  }

  List<Stmt> template() {
    return body(List.of());
  }

  /** Statements up to a tag of {@code stops}, whose name is the next token. */
  private List<Stmt> body(List<String> stops) {
    List<Stmt> body = new ArrayList<>();
    ends.push(stops);
    in.enter();
    while (true) {
      Token now = in.now();
      switch (now.type()) {
        case EOF -> {
          if (!stops.isEmpty()) {
            throw unknown(null);
          }
          ends.pop();
          in.leave();
          return body;
        }
        case DATA -> body.add(new Node.Data((Text) in.next().value()));
        case PRINT_BEGIN -> {
          in.next();
          body.add(new Node.Output(expressions.tuple(true, Set.of())));
          in.expect(Type.PRINT_END);
        }
        default -> {
          in.next();
          if (in.now().is(Type.NAME) && stops.contains(in.now().text())) {
            ends.pop();
            in.leave();
            return body;
          }
          body.add(statement());
          in.expect(Type.BLOCK_END);
        }
      }
    }
  }

  /** A block's statements with its last tag but for that tag's end. */
  private List<Stmt> block(String end) {
    in.expect(Type.BLOCK_END);
    List<Stmt> body = body(List.of(end));
    in.next();
    return body;
  }

  private Stmt statement() {
    Token tag = in.now();
    if (!tag.is(Type.NAME)) {
      throw in.fail("tag name expected");
    }
    String name = tag.text();
    open.push(name);
    Stmt made =
        switch (name) {
          case "for" -> loop();
          case "if" -> choice();
          case "set" -> set();
          case "macro" -> macro();
          case "call" -> call();
          case "filter" -> {
            in.next();
            Expr filters = expressions.filters(false);
            yield new Node.FilterBlock(tag.at(), filters, block("endfilter"));
          }
          case "with" -> with();
          case "generation" -> {
            in.next();
            yield new Node.With(List.of(), List.of(), block("endgeneration"));
          }
          case "print" -> {
            in.next();
            List<Expr> values = new ArrayList<>();
            while (!in.now().is(Type.BLOCK_END)) {
              if (!values.isEmpty()) {
                in.expectOp(",");
              }
              values.add(expressions.expression());
            }
            yield new Node.Output(new Node.Concat(tag.at(), values));
          }
          case "block" -> {
            in.next();
            String called = in.expect(Type.NAME).text();
            Stmt body = new Node.With(List.of(), List.of(), block("endblock"));
            in.skipName(called);
            yield body;
          }
          case "break", "continue" -> {
            in.next();
            if (loops == 0) {
              throw in.fail(Kind.SYNTAX, Values.quote(name) + " outside of a loop", tag.at());
            }
            yield new Node.Jump(name.equals("break"));
          }
          case "include", "import", "extends", "from" -> {
            while (!in.now().is(Type.BLOCK_END) && !in.now().is(Type.EOF)) {
              in.next();
            }
            yield new Node.Load(tag.at());
          }
          default -> throw unknown(name);
        };
    open.pop();
    return made;
  }

  /** What jinja2 says of a tag that is none, or of a template that ends in a block. */
  private TemplateException unknown(String name) {
    if (name != null) {
      open.pop();
    }
    StringBuilder reason = new StringBuilder();
    List<String> stops = ends.isEmpty() ? List.of() : ends.peek();
    Set<String> all = Set.copyOf(ends.stream().flatMap(List::stream).toList());
    boolean nested = name != null && all.contains(name);
    String looking = stops.stream().map(Values::quote).collect(Collectors.joining(" or "));
    if (name == null) {
      reason.append("Unexpected end of template.");
    } else {
      reason.append("Encountered unknown tag ").append(Values.quote(name)).append('.');
    }
    if (!looking.isEmpty()) {
      reason.append(
          nested
              ? " You probably made a nesting mistake. Jinja is expecting this tag, but currently"
                  + " looking for "
              : " Jinja was looking for the following tags: ");
      reason.append(looking).append('.');
    }
    if (!open.isEmpty()) {
      reason
          .append(" The innermost block that needs to be closed is ")
          .append(Values.quote(open.peek()))
          .append('.');
    }
    return in.fail(reason.toString());
  }

  private Stmt loop() {
    int at = in.next().at();
    Target target = target(Set.of("in"), false);
    in.expectName("in");
    Expr of = expressions.tuple(false, Set.of("recursive"));
    Expr filter = in.skipName("if") ? expressions.expression() : null;
    boolean recursive = in.skipName("recursive");
    in.expect(Type.BLOCK_END);
    loops++;
    List<Stmt> body = body(List.of("endfor", "else"));
    loops--;
    List<Stmt> otherwise = List.of();
    if (in.next().text().equals("else")) {
      otherwise = block("endfor");
    }
    return new Node.For(at, target, of, filter, body, otherwise, recursive);
  }

  private Stmt choice() {
    List<Expr> tests = new ArrayList<>();
    List<List<Stmt>> bodies = new ArrayList<>();
    while (true) {
      in.next();
      tests.add(expressions.tuple(false, Set.of()));
      in.expect(Type.BLOCK_END);
      bodies.add(body(List.of("elif", "else", "endif")));
      if (in.now().name("elif")) {
        continue;
      }
      boolean more = in.next().text().equals("else");
      return new Node.If(tests, bodies, more ? block("endif") : List.of());
    }
  }

  private Stmt set() {
    int at = in.next().at();
    Target target = target(Set.of(), true);
    if (in.skipOp("=")) {
      return new Node.Set(at, target, expressions.tuple(true, Set.of()));
    }
    Expr filters = in.now().op("|") ? expressions.filters(true) : null;
    return new Node.SetBlock(at, target, filters, block("endset"));
  }

  private Target target(Set<String> stops, boolean attributes) {
    int at = in.now().at();
    List<Target> all = new ArrayList<>();
    boolean comma = false;
    while (true) {
      Token now = in.now();
      boolean stop =
          now.is(Type.BLOCK_END)
              || now.op(")")
              || now.op("=")
              || now.is(Type.NAME) && stops.contains(now.text());
      if (stop && !all.isEmpty()) {
        break;
      }
      all.add(oneTarget(attributes));
      if (!in.skipOp(",")) {
        break;
      }
      comma = true;
    }
    return comma ? new Node.ToAll(at, all) : all.getFirst();
  }

  private Target oneTarget(boolean attributes) {
    if (in.skipOp("(")) {
      Target inner = target(Set.of(), attributes);
      in.expectOp(")");
      return inner;
    }
    Token name = in.now();
    if (name.is(Type.BLOCK_END)) {
      throw in.fail("Expected an expression, got " + Values.quote(name.text()));
    } else if (!name.is(Type.NAME)) {
      throw in.fail("can't assign to 'const'");
    }
    in.next();
    if (Set.of("true", "false", "none", "True", "False", "None").contains(name.text())) {
      throw in.fail(Kind.SYNTAX, "can't assign to 'const'", name.at());
    }
    if (attributes && in.skipOp(".")) {
      return new Node.ToAttribute(name.at(), name.text(), in.expect(Type.NAME).text());
    }
    return new Node.ToName(name.text());
  }

  private Stmt macro() {
    int at = in.next().at();
    String name = in.expect(Type.NAME).text();
    return macro(at, name, "endmacro");
  }

  private Node.Macro macro(int at, String name, String end) {
    List<String> names = new ArrayList<>();
    List<Expr> defaults = new ArrayList<>();
    if (in.skipOp("(")) {
      while (!in.now().op(")")) {
        if (!names.isEmpty()) {
          in.expectOp(",");
        }
        names.add(in.expect(Type.NAME).text());
        if (in.skipOp("=")) {
          defaults.add(expressions.expression());
        } else if (!defaults.isEmpty() && defaults.getLast() != null) {
          throw in.fail("non-default argument follows default argument");
        } else {
          defaults.add(null);
        }
      }
      in.expectOp(")");
    } else if (end.equals("endmacro")) {
      in.expectOp("(");
    }
    return finish(at, name, names, defaults, end);
  }

  private Node.Macro finish(
      int at, String name, List<String> names, List<Expr> defaults, String end) {
    int from = in.position();
    int outer = loops;
    loops = 0;
    List<Stmt> body = block(end);
    loops = outer;
    return new Node.Macro(
        at,
        name,
        names,
        defaults,
        body,
        in.read("caller", from),
        in.read("varargs", from),
        in.read("kwargs", from));
  }

  private Stmt call() {
    int at = in.next().at();
    List<String> names = new ArrayList<>();
    List<Expr> defaults = new ArrayList<>();
    if (in.skipOp("(")) {
      while (!in.now().op(")")) {
        if (!names.isEmpty()) {
          in.expectOp(",");
        }
        names.add(in.expect(Type.NAME).text());
        defaults.add(in.skipOp("=") ? expressions.expression() : null);
      }
      in.expectOp(")");
    }
    Expr call = expressions.expression();
    if (!(call instanceof Node.Call)) {
      throw in.fail(Kind.SYNTAX, "expected call", at);
    }
    return new Node.CallBlock(at, call, finish(at, "caller", names, defaults, "endcall"));
  }

  private Stmt with() {
    in.next();
    List<Target> targets = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
    while (!in.now().is(Type.BLOCK_END)) {
      if (!targets.isEmpty()) {
        in.expectOp(",");
      }
      targets.add(oneTarget(false));
      in.expectOp("=");
      values.add(expressions.expression());
    }
    return new Node.With(targets, values, block("endwith"));
  }
}
