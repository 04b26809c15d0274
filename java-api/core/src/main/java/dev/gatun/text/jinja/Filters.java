package dev.gatun.text.jinja;

import dev.gatun.text.jinja.TemplateException.Kind;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What stands behind a bar. Those of sequences are in {@link SequenceFilters}. */
final class Filters {
  /** A filter of a value. */
  interface Filter {
    Object apply(Object value, CallArgs args);
  }

  private static final Map<String, Filter> TABLE = new HashMap<>(SequenceFilters.TABLE);

  static {
    TABLE.put("tojson", Json::write);
    TABLE.put("string", (v, a) -> Values.str(v));
    TABLE.put("safe", (v, a) -> Values.str(v));
    TABLE.put("pprint", (v, a) -> Values.repr(v));
    TABLE.put("upper", (v, a) -> Strings.upper(Values.str(v)));
    TABLE.put("lower", (v, a) -> Strings.lower(Values.str(v)));
    TABLE.put("capitalize", (v, a) -> Strings.capitalize(Values.str(v)));
    TABLE.put("title", (v, a) -> title(Values.str(v)));
    TABLE.put("trim", (v, a) -> Strings.strip(Values.str(v), a.get(0, "chars", null), true, true));
    TABLE.put(
        "replace",
        (v, a) ->
            Strings.replace(
                Values.str(v),
                Values.str(a.need("do_replace", 0, "old")),
                Values.str(a.need("do_replace", 1, "new")),
                a.get(2, "count", null) == null ? -1 : a.integer(2, "count", -1)));
    TABLE.put(
        "center",
        (v, a) ->
            Strings.pad(Values.str(v), a.integer(0, "width", 80), Text.template(" "), true, true));
    TABLE.put("indent", Filters::indent);
    TABLE.put("truncate", Filters::truncate);
    TABLE.put(
        "format",
        (v, a) -> {
          if (!a.all().isEmpty() && !a.named().isEmpty()) {
            throw new TemplateException(
                Kind.TYPE, "can't handle positional and keyword arguments at the same time");
          }
          Map<Object, Object> named = new HashMap<>();
          a.named().forEach((name, value) -> named.put(Text.template(name), value));
          return Formats.percent(
              Values.str(v), named.isEmpty() ? new Seq(Seq.Kind.TUPLE, a.all()) : named);
        });
    TABLE.put("escape", (v, a) -> escape(Values.str(v)));
    TABLE.put(
        "striptags",
        (v, a) -> {
          Text text = Values.str(v);
          String plain = text.toString().replaceAll("(?s)<!--.*?-->|<[^>]*>", "");
          return text.made(plain.strip().replaceAll("\\s+", " "));
        });
    TABLE.put("urlencode", (v, a) -> Values.str(v).map(Filters::urlencode));
    TABLE.put(
        "wordcount",
        (v, a) ->
            Values.integer(
                java.util.regex.Pattern.compile(
                        "\\w+", java.util.regex.Pattern.UNICODE_CHARACTER_CLASS)
                    .matcher(Values.str(v).toString())
                    .results()
                    .count()));
    TABLE.put(
        "default",
        (v, a) ->
            v instanceof Undefined || a.truth(1, "boolean", false) && !Values.truth(v)
                ? a.get(0, "default_value", Text.EMPTY)
                : v);
    TABLE.put("int", Filters::toInt);
    TABLE.put("float", (v, a) -> toFloat(v, a.get(0, "default", 0.0)));
    TABLE.put(
        "abs",
        (v, a) -> {
          if (!Values.isNumber(v)) {
            throw new TemplateException(
                Kind.TYPE, "bad operand type for abs(): " + Values.quote(Values.type(v)));
          }
          return Operators.unary(Operators.compare("<", v, BigInteger.ZERO) < 0 ? "-" : "+", v);
        });
    TABLE.put("round", Filters::round);
    TABLE.put(
        "attr",
        (v, a) -> {
          Text name = a.text(0, "name", "");
          Object found =
              v instanceof Map<?, ?> map
                  ? Methods.dict(Values.cast(map), name.toString())
                  : Access.attribute(v, name.toString());
          return found == null
              ? new Undefined(
                  Values.quote(Values.kind(v))
                      + " has no attribute "
                      + Values.quote(name.toString()))
              : found == Values.NONE ? null : found;
        });
    TABLE.put("d", TABLE.get("default"));
    TABLE.put("e", TABLE.get("escape"));
    TABLE.put("forceescape", TABLE.get("escape"));
  }

  private Filters() {}

  static boolean has(String name) {
    return TABLE.containsKey(name);
  }

  static Object apply(String name, Object value, CallArgs args) {
    Filter filter = TABLE.get(name);
    if (filter == null) {
      throw new TemplateException(Kind.RUNTIME, "No filter named " + Values.quote(name) + ".");
    }
    return filter.apply(value, args);
  }

  private static Object defined(Object value) {
    if (value instanceof Undefined undefined) {
      throw undefined.error();
    }
    return value;
  }

  /** The first of each word a capital, the rest small; words end at white space and brackets. */
  private static Text title(Text text) {
    Text.Builder out = new Text.Builder();
    boolean start = true;
    for (Text c : text.characters()) {
      int point = c.toString().codePointAt(0);
      boolean between = Strings.space(point) || "-({[<".indexOf(point) >= 0;
      out.add(between ? c : start ? Strings.upper(c) : Strings.lower(c));
      start = between;
    }
    return out.text();
  }

  private static Text escape(Text text) {
    return text.map(
        run ->
            run.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("'", "&#39;")
                .replace("\"", "&#34;"));
  }

  private static String urlencode(String run) {
    return java.net.URLEncoder.encode(run, java.nio.charset.StandardCharsets.UTF_8)
        .replace("+", "%20")
        .replace("*", "%2A")
        .replace("%7E", "~")
        .replace("%2F", "/");
  }

  private static Object indent(Object value, CallArgs args) {
    args.check("do_indent", "width", "first", "blank");
    Object width = args.get(0, "width", Values.integer(4));
    Text by =
        width instanceof Text text
            ? text
            : Text.template(" ".repeat(Math.clamp(Values.index(width), 0, 1000)));
    boolean blank = args.truth(2, "blank", false);
    Text text = Values.str(value).plus(Text.template("\n"));
    Text.Builder out = new Text.Builder();
    if (args.truth(1, "first", false)) {
      out.add(by);
    }
    if (blank) {
      List<Object> lines = Strings.lines(text, false);
      return out.add(Strings.join(Text.template("\n").plus(by), lines, true)).text();
    }
    List<Object> lines = Strings.lines(text, false);
    for (int i = 0; i < lines.size(); i++) {
      Text line = (Text) lines.get(i);
      if (i > 0) {
        out.add("\n");
        if (!line.isEmpty()) {
          out.add(by);
        }
      }
      out.add(line);
    }
    return out.text();
  }

  private static Object truncate(Object value, CallArgs args) {
    args.check("do_truncate", "length", "killwords", "end", "leeway");
    Text text = Values.str(value);
    int length = args.integer(0, "length", 255);
    Text end = args.text(2, "end", "...");
    int leeway = args.get(3, "leeway", null) == null ? 5 : args.integer(3, "leeway", 5);
    if (text.codePoints() <= length + leeway) {
      return text;
    }
    int keep = Math.max(0, length - end.codePoints());
    Text cut = text.slice(0, text.toString().offsetByCodePoints(0, keep));
    if (!args.truth(1, "killwords", false)) {
      int space = cut.toString().lastIndexOf(' ');
      cut = space < 0 ? cut : cut.slice(0, space);
    }
    return cut.plus(end);
  }

  private static Object toInt(Object value, CallArgs args) {
    args.check("do_int", "default", "base");
    Object otherwise = args.get(0, "default", BigInteger.ZERO);
    defined(value);
    if (value instanceof Text text) {
      int base = args.integer(1, "base", 10);
      String digits = text.toString().strip().replaceAll("(?<=\\w)_(?=\\w)", "");
      String sign = digits.startsWith("-") ? "-" : "";
      digits = digits.startsWith("-") || digits.startsWith("+") ? digits.substring(1) : digits;
      String prefix = base == 16 ? "0x" : base == 8 ? "0o" : base == 2 ? "0b" : null;
      if (prefix != null && digits.toLowerCase(java.util.Locale.ROOT).startsWith(prefix)) {
        digits = digits.substring(2);
      }
      try {
        if (!digits.isEmpty()
            && Character.isLetterOrDigit(digits.charAt(0))
            && digits.length() <= 4300) {
          return new BigInteger(sign + digits, base);
        }
      } catch (NumberFormatException e) {
        // Tried as a float below.
      }
      Object real = toFloat(text, null);
      return real == null ? otherwise : whole(real, otherwise);
    }
    BigInteger whole = Values.whole(value);
    return whole != null ? whole : value instanceof Double ? whole(value, otherwise) : otherwise;
  }

  private static Object whole(Object real, Object otherwise) {
    double number = (Double) real;
    if (Double.isInfinite(number)) {
      throw new TemplateException(Kind.OVERFLOW, "cannot convert float infinity to integer");
    }
    return Double.isNaN(number) ? otherwise : new BigDecimal(number).toBigInteger();
  }

  private static Object toFloat(Object value, Object otherwise) {
    defined(value);
    if (Values.isNumber(value)) {
      return Operators.number(value);
    }
    if (!(value instanceof Text text)) {
      return otherwise;
    }
    String word = text.toString().strip().toLowerCase(java.util.Locale.ROOT);
    String bare = word.startsWith("-") || word.startsWith("+") ? word.substring(1) : word;
    double sign = word.startsWith("-") ? -1 : 1;
    if (bare.equals("inf") || bare.equals("infinity")) {
      return sign * Double.POSITIVE_INFINITY;
    } else if (bare.equals("nan")) {
      return Double.NaN;
    }
    String digits = bare.replaceAll("(?<=\\d)_(?=\\d)", "");
    boolean number = digits.matches("(\\d+\\.?\\d*|\\.\\d+)(e[-+]?\\d+)?");
    return number ? (Object) (sign * Double.parseDouble(digits)) : otherwise;
  }

  private static Object round(Object value, CallArgs args) {
    args.check("do_round", "precision", "method");
    int precision = args.integer(0, "precision", 0);
    String method = args.text(1, "method", "common").toString();
    defined(value);
    if (!List.of("common", "ceil", "floor").contains(method)) {
      throw new TemplateException(Kind.RUNTIME, "method must be common, ceil or floor");
    }
    if (!Values.isNumber(value)) {
      throw new TemplateException(
          Kind.TYPE, "type %s doesn't define __round__ method".formatted(Values.type(value)));
    }
    BigInteger whole = Values.whole(value);
    int places = Math.clamp(precision, -400, 400);
    if (method.equals("common")) {
      if (whole != null) {
        return new BigDecimal(whole)
            .setScale(Math.min(places, 0), RoundingMode.HALF_EVEN)
            .toBigInteger();
      }
      double number = (Double) value;
      return Double.isNaN(number) || Double.isInfinite(number)
          ? number
          : Math.copySign(
              new BigDecimal(number).setScale(places, RoundingMode.HALF_EVEN).doubleValue(),
              number);
    }
    double scale = Math.pow(10, places);
    double scaled = Operators.number(value) * scale;
    return (method.equals("ceil") ? Math.ceil(scaled) : Math.floor(scaled)) / scale;
  }

  static List<Object> list(Object value) {
    return new ArrayList<>(Values.items(value));
  }
}
