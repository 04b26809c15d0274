package dev.gatun.text.jinja;

import dev.gatun.text.jinja.TemplateException.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A macro, or the body of a call block, with the scope that it was made in. */
record MacroValue(Node.Macro macro, Scope scope, Interpreter in) implements Callable {
  String name() {
    return macro.name();
  }

  @Override
  public Object call(CallArgs args) {
    Scope inner = new Scope(scope);
    List<String> names = macro.names();
    Map<String, Object> named = new LinkedHashMap<>(args.named());
    Object caller = new Undefined("No caller defined");
    if (named.containsKey("caller") && !names.contains("caller")) {
      caller = named.remove("caller");
      if (!macro.caller()) {
        throw new TemplateException(
            Kind.TYPE,
            "macro %s was invoked with two values for the special caller argument. This is most"
                    .formatted(Values.quote(name()))
                + " likely a bug.");
      }
    }
    for (int i = 0; i < names.size(); i++) {
      String name = names.get(i);
      if (i < args.all().size()) {
        inner.set(name, args.all().get(i));
        continue;
      } else if (named.containsKey(name)) {
        inner.set(name, named.remove(name));
        continue;
      }
      Node.Expr otherwise = macro.defaults().get(i);
      inner.set(
          name,
          otherwise == null
              ? new Undefined("parameter " + Values.quote(name) + " was not provided")
              : in.value(otherwise, inner));
    }
    if (macro.caller()) {
      inner.set("caller", caller);
    }
    rest(args, named, inner);
    return in.captured(macro.body(), inner);
  }

  private void rest(CallArgs args, Map<String, Object> named, Scope inner) {
    int count = macro.names().size();
    if (macro.kwargs()) {
      Map<Object, Object> kwargs = new LinkedHashMap<>();
      named.forEach((name, value) -> kwargs.put(Text.template(name), value));
      inner.set("kwargs", kwargs);
    } else if (!named.isEmpty()) {
      throw new TemplateException(
          Kind.TYPE,
          "macro %s takes no keyword argument %s"
              .formatted(Values.quote(name()), Values.quote(named.keySet().iterator().next())));
    }
    boolean more = args.all().size() > count;
    if (macro.varargs()) {
      List<Object> varargs = more ? new ArrayList<>(args.from(count).all()) : List.of();
      inner.set("varargs", new Seq(Seq.Kind.TUPLE, varargs));
    } else if (more) {
      throw new TemplateException(
          Kind.TYPE,
          "macro %s takes not more than %d argument(s)".formatted(Values.quote(name()), count));
    }
  }
}
