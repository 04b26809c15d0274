package dev.gatun.text.jinja;

import dev.gatun.text.jinja.TemplateException.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;

/** The methods of strings, mappings and sequences that change nothing. */
final class Methods {
  private interface StringMethod {
    Object apply(Text text, CallArgs args);
  }

  private static final Map<String, StringMethod> STRING = new HashMap<>();

  static {
    STRING.put("strip", (t, a) -> Strings.strip(t, a.get(0, "chars", null), true, true));
    STRING.put("lstrip", (t, a) -> Strings.strip(t, a.get(0, "chars", null), true, false));
    STRING.put("rstrip", (t, a) -> Strings.strip(t, a.get(0, "chars", null), false, true));
    STRING.put(
        "split", (t, a) -> Strings.split(t, a.get(0, "sep", null), a.integer(1, "maxsplit", -1)));
    STRING.put(
        "rsplit", (t, a) -> Strings.rsplit(t, a.get(0, "sep", null), a.integer(1, "maxsplit", -1)));
    STRING.put("splitlines", (t, a) -> Strings.lines(t, a.truth(0, "keepends", false)));
    STRING.put("partition", (t, a) -> partition(t, argument(a, 0), false));
    STRING.put("rpartition", (t, a) -> partition(t, argument(a, 0), true));
    STRING.put("startswith", (t, a) -> ends(t, a, "startswith"));
    STRING.put("endswith", (t, a) -> ends(t, a, "endswith"));
    STRING.put("upper", (t, a) -> Strings.upper(t));
    STRING.put("lower", (t, a) -> Strings.lower(t));
    STRING.put("casefold", (t, a) -> Strings.lower(Strings.upper(t)));
    STRING.put("title", (t, a) -> Strings.title(t));
    STRING.put("capitalize", (t, a) -> Strings.capitalize(t));
    STRING.put("swapcase", (t, a) -> Strings.swapcase(t));
    STRING.put(
        "replace",
        (t, a) -> Strings.replace(t, argument(a, 0), argument(a, 1), a.integer(2, "count", -1)));
    STRING.put(
        "removeprefix",
        (t, a) -> {
          Text part = argument(a, 0);
          return t.toString().startsWith(part.toString()) ? t.from(part.length()) : t;
        });
    STRING.put(
        "removesuffix",
        (t, a) -> {
          Text part = argument(a, 0);
          return t.toString().endsWith(part.toString())
              ? t.slice(0, t.length() - part.length())
              : t;
        });
    STRING.put("join", (t, a) -> Strings.join(t, Values.items(first(a)), false));
    STRING.put("find", (t, a) -> find(t, a, false, false));
    STRING.put("rfind", (t, a) -> find(t, a, true, false));
    STRING.put("index", (t, a) -> find(t, a, false, true));
    STRING.put("rindex", (t, a) -> find(t, a, true, true));
    STRING.put(
        "count",
        (t, a) -> {
          Text in = window(t, a);
          return Values.integer(
              argument(a, 0).isEmpty()
                  ? in.codePoints() + 1
                  : Strings.split(in, argument(a, 0), -1).size() - 1);
        });
    STRING.put("ljust", (t, a) -> Strings.pad(t, Values.index(first(a)), fill(a), false, true));
    STRING.put("rjust", (t, a) -> Strings.pad(t, Values.index(first(a)), fill(a), true, false));
    STRING.put("center", (t, a) -> Strings.pad(t, Values.index(first(a)), fill(a), true, true));
    STRING.put(
        "zfill",
        (t, a) -> {
          boolean sign = t.toString().startsWith("-") || t.toString().startsWith("+");
          int width = Values.index(first(a)) - (sign ? 1 : 0);
          Text zero = Text.template("0");
          Text number = Strings.pad(t.from(sign ? 1 : 0), width, zero, true, false);
          return t.slice(0, sign ? 1 : 0).plus(number);
        });
    STRING.put(
        "expandtabs",
        (t, a) -> {
          Text spaces = Text.template(" ".repeat(Math.min(1000, a.integer(0, "tabsize", 8))));
          return Strings.replace(t, Text.template("\t"), spaces, -1);
        });
    STRING.put("format", Formats::braces);
    STRING.put("isdigit", (t, a) -> all(t, Character::isDigit));
    STRING.put("isdecimal", (t, a) -> all(t, Character::isDigit));
    STRING.put("isnumeric", (t, a) -> all(t, Methods::numeric));
    STRING.put("isalpha", (t, a) -> all(t, Character::isLetter));
    STRING.put("isalnum", (t, a) -> all(t, c -> Character.isLetter(c) || numeric(c)));
    STRING.put("isspace", (t, a) -> all(t, Strings::space));
    STRING.put("isascii", (t, a) -> t.isEmpty() || all(t, c -> c < 128));
    STRING.put("isupper", (t, a) -> cased(t, true));
    STRING.put("islower", (t, a) -> cased(t, false));
    STRING.put(
        "istitle",
        (t, a) ->
            !t.isEmpty()
                && Strings.title(t).equals(t)
                && !Strings.upper(t).equals(Strings.lower(t)));
    STRING.put("isidentifier", (t, a) -> t.toString().matches("[\\p{L}_][\\p{L}\\p{N}_]*"));
  }

  private Methods() {}

  private static boolean numeric(int c) {
    int type = Character.getType(c);
    return type == Character.DECIMAL_DIGIT_NUMBER
        || type == Character.LETTER_NUMBER
        || type == Character.OTHER_NUMBER;
  }

  static Object string(Text text, String name) {
    StringMethod method = STRING.get(name);
    return method == null ? null : (Callable) args -> method.apply(text, args);
  }

  private static Object first(CallArgs args) {
    return args.need("method", 0, "argument");
  }

  private static Text argument(CallArgs args, int index) {
    if (args.all().size() <= index) {
      throw new TemplateException(
          Kind.TYPE,
          "expected at least %d argument%s, got %d"
              .formatted(index + 1, index == 0 ? "" : "s", args.all().size()));
    }
    return Strings.need(args.all().get(index));
  }

  private static Text fill(CallArgs args) {
    Text fill = args.text(1, "fillchar", " ");
    if (fill.codePoints() != 1) {
      throw new TemplateException(
          Kind.TYPE, "The fill character must be exactly one character long");
    }
    return fill;
  }

  private static boolean all(Text text, IntPredicate test) {
    return !text.isEmpty() && text.toString().codePoints().allMatch(test);
  }

  private static boolean cased(Text text, boolean upper) {
    String value = text.toString();
    boolean any =
        value
            .codePoints()
            .anyMatch(c -> upper ? Character.isUpperCase(c) : Character.isLowerCase(c));
    return any
        && value
            .codePoints()
            .noneMatch(c -> upper ? Character.isLowerCase(c) : Character.isUpperCase(c));
  }

  private static Object partition(Text text, Text by, boolean last) {
    String value = text.toString();
    int at = last ? value.lastIndexOf(by.toString()) : value.indexOf(by.toString());
    if (by.isEmpty()) {
      throw new TemplateException(Kind.VALUE, "empty separator");
    }
    if (at < 0) {
      return last
          ? Seq.tuple(Text.EMPTY, Text.EMPTY, text)
          : Seq.tuple(text, Text.EMPTY, Text.EMPTY);
    }
    int end = at + by.length();
    return Seq.tuple(text.slice(0, at), text.slice(at, end), text.from(end));
  }

  /** The part of {@code text} between the second and the third argument. */
  private static Text window(Text text, CallArgs args) {
    return (Text) Access.slice(text, args.get(1, "start", null), args.get(2, "end", null), null);
  }

  private static boolean ends(Text text, CallArgs args, String name) {
    String in = args.all().size() > 1 ? window(text, args).toString() : text.toString();
    Object part = args.need(name, 0, "prefix");
    List<Object> parts =
        part instanceof Seq seq ? seq.items() : List.of(part == null ? Values.NONE : part);
    for (Object one : parts) {
      if (one instanceof Undefined undefined) {
        throw undefined.error();
      }
      if (!(one instanceof Text)) {
        throw new TemplateException(
            Kind.TYPE,
            "%s first arg must be str or a tuple of str, not %s"
                .formatted(name, Values.type(one == Values.NONE ? null : one)));
      }
      if (name.equals("startswith") ? in.startsWith(one.toString()) : in.endsWith(one.toString())) {
        return true;
      }
    }
    return false;
  }

  private static Object find(Text text, CallArgs args, boolean last, boolean must) {
    String part = argument(args, 0).toString();
    String in = window(text, args).toString();
    int at = last ? in.lastIndexOf(part) : in.indexOf(part);
    if (at < 0) {
      if (must) {
        throw new TemplateException(Kind.VALUE, "substring not found");
      }
      return Values.integer(-1);
    }
    int start =
        args.all().size() > 1 && args.all().get(1) != null ? Values.index(args.all().get(1)) : 0;
    int length = text.codePoints();
    start = start < 0 ? Math.max(0, start + length) : start;
    return Values.integer(start + in.codePointCount(0, at));
  }

  static Object dict(Map<Object, Object> map, String name) {
    return switch (name) {
      case "items" -> (Callable) args -> items(map);
      case "keys" -> (Callable) args -> new Seq(Seq.Kind.KEYS, new ArrayList<>(map.keySet()));
      case "values" -> (Callable) args -> new Seq(Seq.Kind.VALUES, new ArrayList<>(map.values()));
      case "copy" -> (Callable) args -> new LinkedHashMap<>(map);
      case "get" ->
          (Callable)
              args -> {
                Object key = Values.key(args.need("get", 0, "key"));
                return map.containsKey(key) ? map.get(key) : args.get(1, "default", null);
              };
      default -> null;
    };
  }

  static Seq items(Map<?, ?> map) {
    List<Object> pairs = new ArrayList<>();
    map.forEach((key, value) -> pairs.add(Seq.tuple(key, value)));
    Budget.spend(pairs.size());
    return new Seq(Seq.Kind.ITEMS, pairs);
  }

  static Object sequence(List<?> list, String name) {
    return switch (name) {
      case "index" ->
          (Callable)
              args -> {
                Object value = args.need("index", 0, "value");
                for (int i = 0; i < list.size(); i++) {
                  if (Operators.equal(list.get(i), value)) {
                    return Values.integer(i);
                  }
                }
                throw new TemplateException(Kind.VALUE, Values.repr(value) + " is not in list");
              };
      case "count" ->
          (Callable)
              args -> {
                Object value = args.need("count", 0, "value");
                return Values.integer(
                    list.stream().filter(item -> Operators.equal(item, value)).count());
              };
      case "copy" -> (Callable) args -> new ArrayList<Object>(list);
      case "grouper" -> list.size() == 2 ? list.getFirst() : null;
      case "list" -> list.size() == 2 ? list.getLast() : null;
      default -> null;
    };
  }
}
