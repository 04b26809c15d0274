package dev.gatun.text.jinja;

import dev.gatun.text.jinja.TemplateException.Kind;
import java.time.LocalDateTime;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** The functions that every template has. */
final class Globals {
  private static final int MOST_RANGE = 100_000;

  private Globals() {}

  static Scope scope(Supplier<LocalDateTime> now) {
    Scope scope = new Scope(null);
    set(scope, "range", Globals::range);
    set(scope, "dict", args -> pairs(args, new LinkedHashMap<>()));
    set(
        scope,
        "namespace",
        args -> {
          Map<String, Object> values = new LinkedHashMap<>();
          pairs(args, new LinkedHashMap<>())
              .forEach((name, value) -> values.put(Values.str(name).toString(), value));
          return new Namespace(values);
        });
    set(
        scope,
        "raise_exception",
        args -> {
          Object message = args.need("raise_exception", 0, "message");
          throw new TemplateException(Kind.TEMPLATE, Values.str(message).toString());
        });
    set(
        scope,
        "strftime_now",
        args ->
            Text.template(
                Strftime.format(
                    now.get(), Values.str(args.need("strftime_now", 0, "format")).toString())));
    set(scope, "cycler", Globals::cycler);
    set(scope, "joiner", Globals::joiner);
    return scope;
  }

  private static void set(Scope scope, String name, Callable function) {
    scope.set(name, function);
  }

  private static Map<Object, Object> pairs(CallArgs args, Map<Object, Object> out) {
    for (Object all : args.all()) {
      if (all instanceof Map<?, ?> map) {
        out.putAll(map);
        continue;
      }
      for (Object pair : Values.items(all)) {
        List<Object> both = Values.items(pair);
        if (both.size() != 2) {
          throw new TemplateException(
              Kind.VALUE,
              "dictionary update sequence element has length %d; 2 is required"
                  .formatted(both.size()));
        }
        out.put(Values.key(both.get(0)), both.get(1));
      }
    }
    args.named().forEach((name, value) -> out.put(Text.template(name), value));
    return out;
  }

  private static Object range(CallArgs args) {
    List<Object> all = args.all();
    if (all.isEmpty() || all.size() > 3) {
      throw new TemplateException(Kind.TYPE, "range expected 1 to 3 arguments, got " + all.size());
    }
    long start = all.size() == 1 ? 0 : Values.index(all.get(0));
    long stop = Values.index(all.get(all.size() == 1 ? 0 : 1));
    long step = all.size() == 3 ? Values.index(all.get(2)) : 1;
    if (step == 0) {
      throw new TemplateException(Kind.VALUE, "range() arg 3 must not be zero");
    }
    long count = Math.max(0, (stop - start + step + (step > 0 ? -1 : 1)) / step);
    if (count > MOST_RANGE) {
      throw new TemplateException(
          Kind.OVERFLOW,
          "Range too big. The sandbox blocks ranges larger than MAX_RANGE (%d)."
              .formatted(MOST_RANGE));
    }
    List<Object> items = new ArrayList<>((int) count);
    for (long i = 0; i < count; i++) {
      items.add(Values.integer(start + i * step));
    }
    Budget.spend(count);
    return new Seq(Seq.Kind.RANGE, items);
  }

  private static Object cycler(CallArgs args) {
    if (args.all().isEmpty()) {
      throw new TemplateException(Kind.TYPE, "at least one item has to be provided");
    }
    int[] at = {0};
    List<Object> items = args.all();
    Map<String, Object> values = new LinkedHashMap<>();
    values.put("current", items.getFirst());
    Callable next =
        none -> {
          Object item = items.get(at[0]);
          at[0] = (at[0] + 1) % items.size();
          values.put("current", items.get(at[0]));
          return item;
        };
    Callable reset =
        none -> {
          at[0] = 0;
          values.put("current", items.getFirst());
          return null;
        };
    values.put("next", next);
    values.put("reset", reset);
    return new Namespace(values);
  }

  private static Object joiner(CallArgs args) {
    Text separator = args.text(0, "sep", ", ");
    boolean[] used = {false};
    return (Callable)
        none -> {
          Text out = used[0] ? separator : Text.EMPTY;
          used[0] = true;
          return out;
        };
  }
}
