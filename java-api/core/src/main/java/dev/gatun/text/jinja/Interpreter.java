package dev.gatun.text.jinja;

import dev.gatun.text.jinja.Node.Expr;
import dev.gatun.text.jinja.Node.Stmt;
import dev.gatun.text.jinja.Node.Target;
import dev.gatun.text.jinja.TemplateException.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Renders a parsed template once. */
final class Interpreter {
  private enum Jump {
    BREAK,
    CONTINUE
  }

  private final Budget budget;
  private int at;

  Interpreter(Budget budget) {
    this.budget = budget;
  }

  /** The offset in the source of what was done last. */
  int at() {
    return at;
  }

  /** What statements write. */
  Text captured(List<Stmt> body, Scope scope) {
    Text.Builder out = new Text.Builder();
    budget.enter();
    run(body, scope, out);
    budget.leave();
    return out.text();
  }

  private Jump run(List<Stmt> body, Scope scope, Text.Builder out) {
    for (Stmt stmt : body) {
      budget.step(1);
      Jump jump = run(stmt, scope, out);
      if (jump != null) {
        return jump;
      }
    }
    return null;
  }

  private Jump run(Stmt stmt, Scope scope, Text.Builder out) {
    switch (stmt) {
      case Node.Data data -> out.add(data.text());
      case Node.Output output -> out.add(Values.str(value(output.of(), scope)));
      case Node.If choice -> {
        return choose(choice, scope, out);
      }
      case Node.For loop -> loop(loop, value(loop.in(), scope), scope, out, 0);
      case Node.Set set -> assign(set.target(), value(set.value(), scope), scope);
      case Node.SetBlock set -> {
        Object text = captured(set.body(), new Scope(scope));
        assign(
            set.target(),
            set.filters() == null ? text : filtered(set.filters(), text, scope),
            scope);
      }
      case Node.Macro macro -> scope.set(macro.name(), new MacroValue(macro, scope, this));
      case Node.CallBlock block -> {
        Node.Call call = (Node.Call) block.call();
        MacroValue caller = new MacroValue(block.caller(), scope, this);
        out.add(Values.str(call(call, scope, caller)));
      }
      case Node.FilterBlock block -> {
        Text text = captured(block.body(), new Scope(scope));
        out.add(Values.str(filtered(block.filters(), text, scope)));
      }
      case Node.With with -> {
        Scope inner = new Scope(scope);
        for (int i = 0; i < with.targets().size(); i++) {
          assign(with.targets().get(i), value(with.values().get(i), scope), inner);
        }
        return nested(with.body(), inner, out);
      }
      case Node.Jump jump -> {
        return jump.out() ? Jump.BREAK : Jump.CONTINUE;
      }
      case Node.Load load -> {
        at = load.at();
        throw new TemplateException(Kind.TYPE, "no loader for this environment specified");
      }
    }
    return null;
  }

  private Jump nested(List<Stmt> body, Scope scope, Text.Builder out) {
    budget.enter();
    Jump jump = run(body, scope, out);
    budget.leave();
    return jump;
  }

  private Jump choose(Node.If choice, Scope scope, Text.Builder out) {
    for (int i = 0; i < choice.tests().size(); i++) {
      if (truth(value(choice.tests().get(i), scope))) {
        return nested(choice.bodies().get(i), scope, out);
      }
    }
    return nested(choice.otherwise(), scope, out);
  }

  private static boolean truth(Object value) {
    return Values.truth(value);
  }

  private void loop(Node.For node, Object over, Scope scope, Text.Builder out, int depth) {
    at = node.at();
    List<Object> items = Values.items(over);
    if (node.filter() != null) {
      List<Object> kept = new ArrayList<>();
      for (Object item : items) {
        Scope inner = new Scope(scope);
        assign(node.target(), item, inner);
        if (truth(value(node.filter(), inner))) {
          kept.add(item);
        }
      }
      items = kept;
    }
    Loop loop =
        new Loop(
            items, depth, node.recursive() ? more -> again(node, more, scope, depth + 1) : null);
    for (Object item : items) {
      budget.step(1);
      loop.next();
      Scope inner = new Scope(scope);
      inner.set("loop", loop);
      assign(node.target(), item, inner);
      if (nested(node.body(), inner, out) == Jump.BREAK) {
        return;
      }
    }
    if (items.isEmpty()) {
      nested(node.otherwise(), new Scope(scope), out);
    }
  }

  private Object again(Node.For node, Object over, Scope scope, int depth) {
    Text.Builder out = new Text.Builder();
    budget.enter();
    loop(node, over, scope, out, depth);
    budget.leave();
    return out.text();
  }

  private void assign(Target target, Object value, Scope scope) {
    switch (target) {
      case Node.ToName name -> scope.set(name.name(), value);
      case Node.ToAttribute to -> {
        at = to.at();
        if (!(scope.get(to.namespace()) instanceof Namespace namespace)) {
          throw new TemplateException(
              Kind.RUNTIME, "cannot assign attribute on non-namespace object");
        }
        namespace.values().put(to.attribute(), value);
      }
      case Node.ToAll all -> {
        at = all.at();
        List<Object> items = unpacked(value);
        int wanted = all.targets().size();
        if (items.size() != wanted) {
          String reason =
              items.size() > wanted
                  ? "too many values to unpack (expected %d)".formatted(wanted)
                  : "not enough values to unpack (expected %d, got %d)"
                      .formatted(wanted, items.size());
          throw new TemplateException(Kind.VALUE, reason);
        }
        for (int i = 0; i < wanted; i++) {
          assign(all.targets().get(i), items.get(i), scope);
        }
      }
    }
  }

  private static List<Object> unpacked(Object value) {
    if (value == null || Values.isNumber(value)) {
      throw new TemplateException(
          Kind.TYPE, "cannot unpack non-iterable %s object".formatted(Values.type(value)));
    }
    return Values.items(value);
  }

  /** The value of an expression. */
  Object value(Expr expr, Scope scope) {
    budget.enter();
    Object value = evaluate(expr, scope);
    budget.leave();
    return value;
  }

  private Object evaluate(Expr expr, Scope scope) {
    return switch (expr) {
      case Node.Literal literal -> literal.value();
      case Node.Name name -> {
        at = name.at();
        yield scope.get(name.name());
      }
      case Node.ListOf list -> {
        List<Object> items = values(list.items(), scope);
        yield list.tuple() ? new Seq(Seq.Kind.TUPLE, items) : items;
      }
      case Node.DictOf dict -> {
        Map<Object, Object> map = new LinkedHashMap<>();
        for (int i = 0; i < dict.keys().size(); i++) {
          Object key = Values.key(value(dict.keys().get(i), scope));
          map.put(key, value(dict.values().get(i), scope));
        }
        yield map;
      }
      case Node.Unary unary -> {
        Object of = value(unary.of(), scope);
        at = unary.at();
        yield Operators.unary(unary.operator(), of);
      }
      case Node.Binary binary -> {
        Object left = value(binary.left(), scope);
        Object right = value(binary.right(), scope);
        at = binary.at();
        yield Operators.binary(binary.operator(), left, right);
      }
      case Node.Concat concat -> {
        Text.Builder out = new Text.Builder();
        for (Object part : values(concat.parts(), scope)) {
          out.add(Values.str(part));
        }
        yield out.text();
      }
      case Node.Logic logic -> {
        Object left = value(logic.left(), scope);
        yield truth(left) == logic.and() ? value(logic.right(), scope) : left;
      }
      case Node.Compare compare -> compare(compare, scope);
      case Node.Choice choice -> {
        if (truth(value(choice.test(), scope))) {
          yield value(choice.then(), scope);
        }
        yield choice.otherwise() == null
            ? new Undefined(
                "the inline if-expression evaluated to false and no else section was defined.")
            : value(choice.otherwise(), scope);
      }
      case Node.Attribute attribute -> {
        Object of = value(attribute.of(), scope);
        at = attribute.at();
        yield none(Access.attribute(of, attribute.name()));
      }
      case Node.Item item -> {
        Object of = value(item.of(), scope);
        Object index = value(item.index(), scope);
        at = item.at();
        yield none(Access.item(of, index));
      }
      case Node.Slice slice -> {
        Object of = value(slice.of(), scope);
        Object start = slice.start() == null ? null : value(slice.start(), scope);
        Object stop = slice.stop() == null ? null : value(slice.stop(), scope);
        Object step = slice.step() == null ? null : value(slice.step(), scope);
        at = slice.at();
        yield Access.slice(of, start, stop, step);
      }
      case Node.Call call -> call(call, scope, null);
      case Node.Filter filter -> filter(filter, value(filter.of(), scope), scope);
      case Node.Test test -> {
        Object of = value(test.of(), scope);
        CallArgs args = args(test.args(), scope);
        at = test.at();
        yield Tests.apply(test.name(), of, args);
      }
    };
  }

  private static Object none(Object value) {
    return value == Values.NONE ? null : value;
  }

  private List<Object> values(List<Expr> exprs, Scope scope) {
    List<Object> values = new ArrayList<>(exprs.size());
    for (Expr expr : exprs) {
      values.add(value(expr, scope));
    }
    return values;
  }

  private boolean compare(Node.Compare compare, Scope scope) {
    Object left = value(compare.first(), scope);
    for (int i = 0; i < compare.rest().size(); i++) {
      Object right = value(compare.rest().get(i), scope);
      at = compare.at();
      if (!Operators.test(compare.operators().get(i), left, right)) {
        return false;
      }
      left = right;
    }
    return true;
  }

  private Object call(Node.Call call, Scope scope, MacroValue caller) {
    Object of = value(call.of(), scope);
    CallArgs args = args(call.args(), scope);
    at = call.at();
    if (of instanceof Undefined undefined) {
      throw undefined.error();
    } else if (of instanceof Callable callable) {
      return callable.call(caller == null ? args : args.with("caller", caller));
    }
    throw new TemplateException(
        Kind.TYPE, "%s object is not callable".formatted(Values.quote(Values.type(of))));
  }

  private CallArgs args(Node.Args args, Scope scope) {
    if (args == Node.Args.NONE) {
      return CallArgs.NONE;
    }
    List<Object> all = values(args.all(), scope);
    if (args.list() != null) {
      all.addAll(Values.items(value(args.list(), scope)));
    }
    Map<String, Object> named = new LinkedHashMap<>();
    args.named().forEach((name, expr) -> named.put(name, value(expr, scope)));
    if (args.map() != null) {
      if (!(value(args.map(), scope) instanceof Map<?, ?> map)) {
        throw new TemplateException(Kind.TYPE, "argument after ** must be a mapping");
      }
      map.forEach((name, value) -> named.put(Values.str(name).toString(), value));
    }
    return new CallArgs(all, named);
  }

  private Object filter(Node.Filter filter, Object of, Scope scope) {
    CallArgs args = args(filter.args(), scope);
    at = filter.at();
    return Filters.apply(filter.name(), of, args);
  }

  /** Filters of a block, whose innermost is of nothing: of {@code text}. */
  private Object filtered(Expr filters, Object text, Scope scope) {
    Node.Filter filter = (Node.Filter) filters;
    Object of = filter.of() == null ? text : filtered(filter.of(), text, scope);
    return filter(filter, of, scope);
  }
}
