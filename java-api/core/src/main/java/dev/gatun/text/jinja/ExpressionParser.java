package dev.gatun.text.jinja;

import dev.gatun.text.jinja.Node.Args;
import dev.gatun.text.jinja.Node.Expr;
import dev.gatun.text.jinja.TemplateException.Kind;
import dev.gatun.text.jinja.Token.Type;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;

/** Reads expressions, with the precedence that jinja2 gives to operators. */
final class ExpressionParser {
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
  private static final Set<Type> ARGUMENTS =
      Set.of(Type.NAME, Type.STRING, Type.INTEGER, Type.FLOAT);

  private final Tokens in;

  ExpressionParser(Tokens in) {
    this.in = in;
  }

  /** An expression, or several with commas between them, which make a tuple. */
  Expr tuple(boolean conditional, Set<String> ends) {
    return tuple(conditional, ends, false);
  }

  private Expr tuple(boolean conditional, Set<String> ends, boolean parentheses) {
    List<Expr> items = new ArrayList<>();
    boolean comma = false;
    while (true) {
      if (!items.isEmpty()) {
        if (!in.skipOp(",")) {
          break;
        }
        comma = true;
      }
      if (tupleEnds(ends)) {
        break;
      }
      items.add(conditional ? expression() : or());
    }
    if (!comma && !items.isEmpty()) {
      return items.getFirst();
    }
    if (items.isEmpty() && !parentheses) {
      throw in.fail("Expected an expression, got " + Values.quote(in.now().text()));
    }
    return new Node.ListOf(items, true);
  }

  private boolean tupleEnds(Set<String> ends) {
    Token now = in.now();
    return now.is(Type.PRINT_END)
        || now.is(Type.BLOCK_END)
        || now.op(")")
        || now.is(Type.NAME) && ends.contains(now.text());
  }

  Expr expression() {
    in.enter();
    Expr value = or();
    int levels = 1;
    while (in.skipName("if")) {
      Expr test = or();
      Expr otherwise = in.skipName("else") ? expression() : null;
      value = new Node.Choice(test, value, otherwise);
      in.enter();
      levels++;
    }
    in.leave(levels);
    return value;
  }

  Expr or() {
    return logic("or", this::and);
  }

  private Expr and() {
    return logic("and", this::not);
  }

  /** Parts with a word between them, from the left. */
  private Expr logic(String word, Supplier<Expr> part) {
    Expr left = part.get();
    int levels = 0;
    while (in.skipName(word)) {
      left = new Node.Logic(word.equals("and"), left, part.get());
      in.enter();
      levels++;
    }
    in.leave(levels);
    return left;
  }

  private Expr not() {
    int at = in.now().at();
    if (!in.skipName("not")) {
      return compare();
    }
    in.enter();
    Expr of = not();
    in.leave();
    return new Node.Unary(at, "not", of);
  }

  private Expr compare() {
    int at = in.now().at();
    Expr first = sum();
    List<String> operators = new ArrayList<>();
    List<Expr> rest = new ArrayList<>();
    while (true) {
      Token now = in.now();
      if (now.is(Type.OPERATOR) && COMPARISONS.contains(now.text())) {
        operators.add(in.next().text());
      } else if (in.skipName("in")) {
        operators.add("in");
      } else if (now.name("not") && in.peek().name("in")) {
        in.next();
        in.next();
        operators.add("not in");
      } else {
        return rest.isEmpty() ? first : new Node.Compare(at, first, operators, rest);
      }
      rest.add(sum());
    }
  }

  private Expr sum() {
    return binary(Set.of("+", "-"), this::concat);
  }

  private Expr concat() {
    int at = in.now().at();
    List<Expr> parts = new ArrayList<>();
    parts.add(product());
    while (in.skipOp("~")) {
      parts.add(product());
    }
    return parts.size() == 1 ? parts.getFirst() : new Node.Concat(at, parts);
  }

  private Expr product() {
    return binary(Set.of("*", "/", "//", "%"), this::power);
  }

  private Expr power() {
    return binary(Set.of("**"), () -> unary(true));
  }

  private Expr binary(Set<String> operators, Supplier<Expr> operand) {
    Expr left = operand.get();
    int levels = 0;
    while (in.now().is(Type.OPERATOR) && operators.contains(in.now().text())) {
      Token operator = in.next();
      left = new Node.Binary(operator.at(), operator.text(), left, operand.get());
      in.enter();
      levels++;
    }
    in.leave(levels);
    return left;
  }

  private Expr unary(boolean filters) {
    Token now = in.now();
    Expr node;
    in.enter();
    if (in.skipOp("-") || in.skipOp("+")) {
      node = new Node.Unary(now.at(), now.text(), unary(false));
    } else {
      node = primary();
    }
    node = postfix(node);
    if (filters) {
      node = filtered(node);
    }
    in.leave();
    return node;
  }

  private Expr primary() {
    Token now = in.now();
    switch (now.type()) {
      case NAME -> {
        in.next();
        return switch (now.text()) {
          case "true", "True" -> new Node.Literal(true);
          case "false", "False" -> new Node.Literal(false);
          case "none", "None" -> new Node.Literal(null);
          default -> new Node.Name(now.at(), now.text());
        };
      }
      case STRING -> {
        Text.Builder text = new Text.Builder();
        while (in.now().is(Type.STRING)) {
          text.add((Text) in.next().value());
        }
        return new Node.Literal(text.text());
      }
      case INTEGER, FLOAT -> {
        return new Node.Literal(in.next().value());
      }
      default -> {
        if (in.skipOp("(")) {
          Expr of = tuple(true, Set.of(), true);
          in.expectOp(")");
          return of;
        } else if (in.skipOp("[")) {
          return new Node.ListOf(list(), false);
        } else if (in.skipOp("{")) {
          return dict();
        }
        throw in.fail("unexpected " + Values.quote(now.text()));
      }
    }
  }

  private List<Expr> list() {
    List<Expr> items = new ArrayList<>();
    while (!in.now().op("]")) {
      if (!items.isEmpty()) {
        in.expectOp(",");
      }
      if (in.now().op("]")) {
        break;
      }
      items.add(expression());
    }
    in.expectOp("]");
    return items;
  }

  private Expr dict() {
    List<Expr> keys = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
    while (!in.now().op("}")) {
      if (!keys.isEmpty()) {
        in.expectOp(",");
      }
      if (in.now().op("}")) {
        break;
      }
      keys.add(expression());
      in.expectOp(":");
      values.add(expression());
    }
    in.expectOp("}");
    return new Node.DictOf(keys, values);
  }

  private Expr postfix(Expr start) {
    Expr node = start;
    int levels = 0;
    while (true) {
      Token now = in.now();
      if (in.skipOp(".")) {
        Token name = in.next();
        if (name.is(Type.NAME)) {
          node = new Node.Attribute(name.at(), node, name.text());
        } else if (name.is(Type.INTEGER)) {
          node = new Node.Item(name.at(), node, new Node.Literal(name.value()));
        } else {
          throw in.fail(Kind.SYNTAX, "expected name or number", name.at());
        }
      } else if (in.skipOp("[")) {
        node = subscript(node, now.at());
      } else if (now.op("(")) {
        node = new Node.Call(now.at(), node, arguments());
      } else {
        in.leave(levels);
        return node;
      }
      in.enter();
      levels++;
    }
  }

  private Expr subscript(Expr of, int at) {
    List<Expr> items = new ArrayList<>();
    while (!in.now().op("]")) {
      if (!items.isEmpty()) {
        in.expectOp(",");
      }
      Expr start = in.now().op(":") ? null : expression();
      if (!in.now().op(":")) {
        items.add(start);
        continue;
      }
      in.next();
      Expr stop = sliceEnds() ? null : expression();
      Expr step = in.skipOp(":") && !sliceEnds() ? expression() : null;
      in.expectOp("]");
      return new Node.Slice(at, of, start, stop, step);
    }
    in.expectOp("]");
    return new Node.Item(
        at, of, items.size() == 1 ? items.getFirst() : new Node.ListOf(items, true));
  }

  private boolean sliceEnds() {
    return in.now().op(":") || in.now().op("]") || in.now().op(",");
  }

  Args arguments() {
    in.expectOp("(");
    List<Expr> all = new ArrayList<>();
    Map<String, Expr> named = new LinkedHashMap<>();
    Expr list = null;
    Expr map = null;
    boolean first = true;
    while (!in.now().op(")")) {
      if (!first) {
        in.expectOp(",");
        if (in.now().op(")")) {
          break;
        }
      }
      first = false;
      if (in.now().op("*") && list == null && map == null) {
        in.next();
        list = expression();
      } else if (in.now().op("**") && map == null) {
        in.next();
        map = expression();
      } else if (in.now().is(Type.NAME) && in.peek().op("=") && map == null) {
        String name = in.next().text();
        in.next();
        named.put(name, expression());
      } else if (named.isEmpty() && list == null && map == null) {
        all.add(expression());
      } else {
        throw in.fail("invalid syntax for function call expression");
      }
    }
    in.expectOp(")");
    return new Args(all, named, list, map);
  }

  private Expr filtered(Expr start) {
    Expr node = start;
    int levels = 0;
    while (true) {
      Token now = in.now();
      if (now.op("|")) {
        node = filter(node);
      } else if (now.name("is")) {
        node = test(node);
      } else if (now.op("(")) {
        node = new Node.Call(now.at(), node, arguments());
      } else {
        in.leave(levels);
        return node;
      }
      in.enter();
      levels++;
    }
  }

  /** One filter, at its bar. */
  private Expr filter(Expr of) {
    in.expectOp("|");
    return filterName(of);
  }

  /** Filters after a block's tag; of a null at their start. */
  Expr filters(boolean bar) {
    Expr node = bar ? filter(null) : filterName(null);
    while (in.now().op("|")) {
      node = filter(node);
    }
    return node;
  }

  private Expr filterName(Expr of) {
    Token start = in.now();
    String name = dotted();
    if (!Filters.has(name)) {
      throw in.fail(Kind.ASSERTION, "No filter named " + Values.quote(name) + ".", start.at());
    }
    Args args = in.now().op("(") ? arguments() : Args.NONE;
    return new Node.Filter(start.at(), of, name, args);
  }

  private String dotted() {
    StringBuilder name = new StringBuilder(in.expect(Type.NAME).text());
    while (in.skipOp(".")) {
      name.append('.').append(in.expect(Type.NAME).text());
    }
    return name.toString();
  }

  private Expr test(Expr of) {
    in.expectName("is");
    boolean negated = in.skipName("not");
    Token start = in.now();
    String name = dotted();
    Args args = Args.NONE;
    Token now = in.now();
    if (now.op("(")) {
      args = arguments();
    } else if ((ARGUMENTS.contains(now.type()) || now.op("[") || now.op("{"))
        && !now.name("else")
        && !now.name("or")
        && !now.name("and")) {
      if (now.name("is")) {
        throw in.fail("You cannot chain multiple tests with is");
      }
      args = new Args(List.of(postfix(primary())), Map.of(), null, null);
    }
    if (!Tests.has(name)) {
      throw in.fail(Kind.ASSERTION, "No test named " + Values.quote(name) + ".", start.at());
    }
    Expr test = new Node.Test(start.at(), of, name, args);
    return negated ? new Node.Unary(start.at(), "not", test) : test;
  }
}
