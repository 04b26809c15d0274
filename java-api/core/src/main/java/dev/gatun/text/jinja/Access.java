package dev.gatun.text.jinja;

import dev.gatun.text.jinja.TemplateException.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Attributes, elements and slices of values. */
final class Access {
  private static final Set<String> LIST_CHANGES =
      Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");
  private static final Set<String> DICT_CHANGES =
      Set.of("clear", "pop", "popitem", "setdefault", "update");

  private Access() {}

  /** {@code value.name}. */
  static Object attribute(Object value, String name) {
    Object found = own(value, name);
    if (found != null) {
      return found;
    }
    if (value instanceof Map<?, ?> map) {
      Text key = Text.template(name);
      if (map.containsKey(key)) {
        return map.get(key);
      }
    } else if (value instanceof Namespace namespace && namespace.values().containsKey(name)) {
      return namespace.values().get(name);
    }
    return missing(value, name);
  }

  private static Undefined missing(Object value, String name) {
    return new Undefined(
        Values.quote(Values.kind(value)) + " has no attribute " + Values.quote(name));
  }

  /** What a value's type has under {@code name}; null if nothing. */
  private static Object own(Object value, String name) {
    if (value instanceof Undefined undefined) {
      throw undefined.error();
    }
    boolean changes =
        value instanceof List<?> && LIST_CHANGES.contains(name)
            || value instanceof Map<?, ?> && DICT_CHANGES.contains(name);
    if (changes || name.startsWith("__") && name.endsWith("__")) {
      return new Undefined(
          "access to attribute %s of %s object is unsafe."
              .formatted(Values.quote(name), Values.quote(Values.type(value))),
          Kind.SECURITY);
    }
    return switch (value) {
      case Text text -> Methods.string(text, name);
      case Map<?, ?> map -> Methods.dict(Values.cast(map), name);
      case List<?> list -> Methods.sequence(list, name);
      case Seq seq when !seq.kind().isView() -> Methods.sequence(seq.items(), name);
      case Loop loop -> {
        if (name.equals("previtem") || name.equals("nextitem")) {
          Object item = loop.get(name);
          yield item == null ? Values.NONE : item;
        }
        yield loop.get(name);
      }
      case MacroValue macro -> macro(macro, name);
      case null, default -> null;
    };
  }

  private static Object macro(MacroValue macro, String name) {
    return switch (name) {
      case "name" -> Text.template(macro.name());
      case "arguments" ->
          new Seq(
              Seq.Kind.TUPLE,
              new ArrayList<>(macro.macro().names().stream().map(Text::template).toList()));
      case "catch_kwargs" -> macro.macro().kwargs();
      case "catch_varargs" -> macro.macro().varargs();
      case "caller" -> macro.macro().caller();
      default -> null;
    };
  }

  /** {@code value[key]}. */
  static Object item(Object value, Object key) {
    if (value instanceof Undefined undefined) {
      throw undefined.error();
    }
    Object found = element(value, key);
    if (found != null) {
      return found;
    }
    if (key instanceof Text name) {
      Object own = own(value, name.toString());
      if (own != null) {
        return own;
      }
      if (value instanceof Namespace namespace && namespace.values().containsKey(name.toString())) {
        return namespace.values().get(name.toString());
      }
      return missing(value, name.toString());
    }
    if (key instanceof Undefined undefined) {
      // Python looks a key up by its hash, which an undefined value has.
      return new Undefined(Values.kind(value) + " has no element Undefined");
    }
    return new Undefined(Values.kind(value) + " has no element " + Values.repr(key));
  }

  private static Object element(Object value, Object key) {
    if (value instanceof Map<?, ?> map) {
      if (key instanceof List<?> || key instanceof Map<?, ?>) {
        return null;
      }
      Object known = Values.key(key);
      if (!map.containsKey(known)) {
        return null;
      }
      Object found = map.get(known);
      return found == null ? Values.NONE : found;
    }
    if (Values.whole(key) == null) {
      return null;
    }
    int index = Values.index(key);
    if (value instanceof Text text) {
      int length = text.codePoints();
      int at = index < 0 ? index + length : index;
      if (at < 0 || at >= length) {
        return null;
      }
      int start = text.toString().offsetByCodePoints(0, at);
      return text.slice(start, text.toString().offsetByCodePoints(start, 1));
    }
    List<Object> items =
        value instanceof List<?> list
            ? Values.cast(list)
            : value instanceof Seq seq && !seq.kind().isView() ? seq.items() : List.of();
    int at = index < 0 ? index + items.size() : index;
    if (at < 0 || at >= items.size()) {
      return null;
    }
    Object found = items.get(at);
    return found == null ? Values.NONE : found;
  }

  /** {@code value[start:stop:step]}, each null where it is not given. */
  static Object slice(Object value, Object start, Object stop, Object step) {
    if (value instanceof Undefined undefined) {
      throw undefined.error();
    }
    boolean text = value instanceof Text;
    boolean sequence = value instanceof Seq seq && !seq.kind().isView();
    if (!text && !sequence && !(value instanceof List<?>)) {
      return new Undefined(
          "%s has no element slice(%s, %s, %s)"
              .formatted(
                  Values.kind(value), Values.repr(start), Values.repr(stop), Values.repr(step)));
    }
    List<Object> items = Values.items(value);
    int n = items.size();
    int by = step == null ? 1 : Values.index(step);
    if (by == 0) {
      throw new TemplateException(Kind.VALUE, "slice step cannot be zero");
    }
    int from = bound(start, by > 0 ? 0 : n - 1, n, by);
    int to = bound(stop, by > 0 ? n : -1, n, by);
    List<Object> out = new ArrayList<>();
    for (long i = from; by > 0 ? i < to : i > to; i += by) {
      out.add(items.get((int) i));
    }
    if (text) {
      Text.Builder joined = new Text.Builder();
      out.forEach(item -> joined.add((Text) item));
      return joined.text();
    }
    return value instanceof Seq seq ? new Seq(seq.kind(), out) : out;
  }

  private static int bound(Object given, int otherwise, int n, int by) {
    if (given == null) {
      return otherwise;
    }
    int at = Values.index(given);
    if (at < 0) {
      return Math.max(at + n, by > 0 ? 0 : -1);
    }
    return Math.min(at, by > 0 ? n : n - 1);
  }
}
