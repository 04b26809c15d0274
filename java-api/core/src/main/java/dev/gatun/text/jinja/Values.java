package dev.gatun.text.jinja;

import com.fasterxml.jackson.databind.JsonNode;
import dev.gatun.text.jinja.TemplateException.Kind;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The values of templates: null (None), Boolean, BigInteger, Double, Text, List, Seq, Lazy, Map,
 * Undefined, Namespace, Callable; and what Python makes of each.
 */
final class Values {
  /** A None that was found, where null says that nothing was. */
  static final Object NONE = new Object();

  private static final int MOST_DEPTH = 200;
  private static final int MOST_DIGITS = 4300;

  private Values() {}

  /** A template's value of a program's; strings are data. */
  static Object of(Object value) {
    return of(value, 0);
  }

  private static Object of(Object value, int depth) {
    if (depth > MOST_DEPTH) {
      throw new IllegalArgumentException(
          "a value given to a template is nested deeper than " + MOST_DEPTH);
    }
    return switch (value) {
      case null -> null;
      case Text text -> text;
      case CharSequence text -> Text.data(text.toString());
      case Boolean bool -> bool;
      case BigInteger number -> number;
      case BigDecimal number -> number.doubleValue();
      case Double number -> number;
      case Float number -> number.doubleValue();
      case Number number -> BigInteger.valueOf(number.longValue());
      case JsonNode node -> json(node, depth);
      case Map<?, ?> map -> {
        Map<Object, Object> out = new LinkedHashMap<>();
        map.forEach((k, v) -> out.put(of(k, depth + 1), of(v, depth + 1)));
        yield out;
      }
      case Collection<?> items -> {
        List<Object> out = new ArrayList<>();
        items.forEach(item -> out.add(of(item, depth + 1)));
        yield out;
      }
      default ->
          throw new IllegalArgumentException(
              "a template takes strings, numbers, booleans, lists, maps and JSON, not "
                  + value.getClass().getName());
    };
  }

  private static Object json(JsonNode node, int depth) {
    if (node.isObject()) {
      Map<String, Object> map = new LinkedHashMap<>();
      node.properties().forEach(entry -> map.put(entry.getKey(), entry.getValue()));
      return of(map, depth);
    } else if (node.isArray()) {
      List<Object> items = new ArrayList<>();
      node.forEach(items::add);
      return of(items, depth);
    } else if (node.isNull() || node.isMissingNode()) {
      return null;
    } else if (node.isBoolean()) {
      return node.booleanValue();
    } else if (node.isNumber()) {
      return node.isIntegralNumber() ? node.bigIntegerValue() : (Object) node.doubleValue();
    }
    return Text.data(node.asText());
  }

  static BigInteger integer(long value) {
    return BigInteger.valueOf(value);
  }

  static boolean truth(Object value) {
    return switch (value) {
      case null -> false;
      case Boolean bool -> bool;
      case BigInteger number -> number.signum() != 0;
      case Double number -> number != 0;
      case Text text -> !text.isEmpty();
      case List<?> list -> !list.isEmpty();
      case Seq seq -> !seq.items().isEmpty();
      case Map<?, ?> map -> !map.isEmpty();
      case Undefined undefined -> false;
      default -> true;
    };
  }

  /** The name of a value's type. */
  static String type(Object value) {
    return switch (value) {
      case null -> "NoneType";
      case Boolean bool -> "bool";
      case BigInteger number -> "int";
      case Double number -> "float";
      case Text text -> "str";
      case List<?> list -> "list";
      case Seq seq -> seq.kind().type;
      case Map<?, ?> map -> "dict";
      case Undefined undefined -> "Undefined";
      case Lazy lazy -> "generator";
      case Namespace namespace -> "Namespace";
      case MacroValue macro -> "Macro";
      case Loop loop -> "LoopContext";
      default -> "builtin_function_or_method";
    };
  }

  /** A value's kind as messages about what it lacks name it. */
  static String kind(Object value) {
    return switch (value) {
      case null -> "None";
      case Namespace n -> "jinja2.utils.Namespace object";
      case Loop loop -> "jinja2.runtime.LoopContext object";
      case MacroValue macro -> "jinja2.runtime.Macro object";
      default -> type(value) + " object";
    };
  }

  static Text str(Object value) {
    return switch (value) {
      case Text text -> text;
      case Undefined undefined -> Text.EMPTY;
      case null, default -> repr(value);
    };
  }

  static Text repr(Object value) {
    Text.Builder out = new Text.Builder();
    repr(value, out, 0);
    return out.text();
  }

  private static void repr(Object value, Text.Builder out, int depth) {
    if (depth > MOST_DEPTH) {
      throw new TemplateException(Kind.RECURSION, "a value is nested deeper than " + MOST_DEPTH);
    }
    switch (value) {
      case null -> out.add("None");
      case Boolean bool -> out.add(bool ? "True" : "False");
      case BigInteger number -> out.add(digits(number));
      case Double number -> out.add(Floats.repr(number));
      case Text text -> quote(text, out);
      case List<?> list -> reprAll("[", list, "]", out, depth);
      case Seq seq -> {
        switch (seq.kind()) {
          case TUPLE -> reprAll("(", seq.items(), seq.items().size() == 1 ? ",)" : ")", out, depth);
          case RANGE -> out.add(range(seq.items()));
          default -> {
            out.add(seq.kind().type).add("(");
            reprAll("[", seq.items(), "])", out, depth);
          }
        }
      }
      case Map<?, ?> map -> reprMap("{", map, "}", out, depth);
      case Undefined undefined -> out.add("Undefined");
      case Namespace n -> reprMap("<Namespace {", n.values(), "}>", out, depth);
      case MacroValue macro -> out.add("<Macro " + quote(macro.name()) + ">");
      case Loop loop -> out.add(loop.toString());
      default -> out.add("<" + type(value) + ">");
    }
  }

  private static String range(List<Object> items) {
    if (items.isEmpty()) {
      return "range(0, 0)";
    }
    BigInteger first = (BigInteger) items.getFirst();
    BigInteger step =
        items.size() == 1 ? BigInteger.ONE : ((BigInteger) items.get(1)).subtract(first);
    BigInteger end = ((BigInteger) items.getLast()).add(step);
    return "range(" + first + ", " + end + (step.equals(BigInteger.ONE) ? ")" : ", " + step + ")");
  }

  private static void reprAll(
      String open, List<?> items, String close, Text.Builder out, int depth) {
    String separator = open;
    for (Object item : items) {
      out.add(separator);
      repr(item, out, depth + 1);
      separator = ", ";
    }
    out.add(items.isEmpty() ? open + close : close);
  }

  private static void reprMap(
      String open, Map<?, ?> map, String close, Text.Builder out, int depth) {
    String separator = open;
    for (Map.Entry<?, ?> entry : map.entrySet()) {
      out.add(separator);
      Object key = entry.getKey();
      repr(key instanceof String name ? Text.template(name) : key, out, depth + 1);
      out.add(": ");
      repr(entry.getValue(), out, depth + 1);
      separator = ", ";
    }
    out.add(map.isEmpty() ? open + close : close);
  }

  static String digits(BigInteger number) {
    if (number.bitLength() > 14_283
        && number.abs().compareTo(BigInteger.TEN.pow(MOST_DIGITS)) >= 0) {
      throw new TemplateException(
          Kind.VALUE,
          "Exceeds the limit (%d digits) for integer string conversion; use".formatted(MOST_DIGITS)
              + " sys.set_int_max_str_digits() to increase the limit");
    }
    return number.toString();
  }

  /** Python's literal of a string. */
  static String quote(String text) {
    Text.Builder out = new Text.Builder();
    quote(Text.template(text), out);
    return out.text().toString();
  }

  private static void quote(Text text, Text.Builder out) {
    String value = text.toString();
    String mark = value.indexOf('\'') >= 0 && value.indexOf('"') < 0 ? "\"" : "'";
    out.add(mark);
    out.add(text.map(run -> escape(run, mark.charAt(0))));
    out.add(mark);
  }

  private static String escape(String run, char mark) {
    StringBuilder out = new StringBuilder();
    run.codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '\n' -> out.append("\\n");
                case '\r' -> out.append("\\r");
                case '\t' -> out.append("\\t");
                case '\\' -> out.append("\\\\");
                default -> {
                  if (c == mark) {
                    out.append('\\').append(mark);
                  } else if (printable(c)) {
                    out.appendCodePoint(c);
                  } else {
                    String form = c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x";
                    out.append(form.formatted(c));
                  }
                }
              }
            });
    return out.toString();
  }

  private static boolean printable(int c) {
    return c == ' '
        || switch (Character.getType(c)) {
          case Character.CONTROL,
              Character.FORMAT,
              Character.SURROGATE,
              Character.PRIVATE_USE,
              Character.UNASSIGNED,
              Character.LINE_SEPARATOR,
              Character.PARAGRAPH_SEPARATOR,
              Character.SPACE_SEPARATOR ->
              false;
          default -> true;
        };
  }

  /** The elements of what can be gone through. */
  static List<Object> items(Object value) {
    List<Object> items =
        switch (value) {
          case Text text -> new ArrayList<>(text.characters());
          case List<?> list -> cast(list);
          case Seq seq -> seq.items();
          case Map<?, ?> map -> new ArrayList<>(map.keySet());
          case Lazy lazy -> lazy.rest();
          case Undefined undefined -> List.of();
          case null, default ->
              throw new TemplateException(
                  Kind.TYPE, Values.quote(type(value)) + " object is not iterable");
        };
    Budget.spend(items.size());
    return items;
  }

  @SuppressWarnings("unchecked")
  static List<Object> cast(List<?> list) {
    return (List<Object>) list;
  }

  @SuppressWarnings("unchecked")
  static Map<Object, Object> cast(Map<?, ?> map) {
    return (Map<Object, Object>) map;
  }

  static int length(Object value) {
    return switch (value) {
      case Text text -> text.codePoints();
      case List<?> list -> list.size();
      case Seq seq -> seq.items().size();
      case Map<?, ?> map -> map.size();
      case Undefined undefined -> 0;
      case Loop loop -> loop.size();
      case null, default ->
          throw new TemplateException(
              Kind.TYPE, "object of type " + quote(type(value)) + " has no len()");
    };
  }

  static boolean isNumber(Object value) {
    return value instanceof BigInteger || value instanceof Double || value instanceof Boolean;
  }

  /** A whole number, of True and False as Python does; null if {@code value} is none. */
  static BigInteger whole(Object value) {
    return switch (value) {
      case BigInteger number -> number;
      case Boolean bool -> bool ? BigInteger.ONE : BigInteger.ZERO;
      case null, default -> null;
    };
  }

  /** A whole number as an index, at the ends of int if it is beyond. */
  static int index(Object value) {
    BigInteger number = whole(value);
    if (number == null) {
      if (value instanceof Undefined undefined) {
        throw undefined.error();
      }
      throw new TemplateException(
          Kind.TYPE, quote(type(value)) + " object cannot be interpreted as an integer");
    }
    return number.bitLength() < 32
        ? number.intValue()
        : number.signum() < 0 ? -Integer.MAX_VALUE : Integer.MAX_VALUE;
  }

  /** A value as a key of a mapping. */
  static Object key(Object value) {
    return switch (value) {
      case Double number when number == Math.rint(number) && !number.isInfinite() ->
          new BigDecimal(number).toBigInteger();
      case Boolean bool -> bool ? BigInteger.ONE : BigInteger.ZERO;
      case Seq seq when seq.kind() == Seq.Kind.TUPLE ->
          new Seq(Seq.Kind.TUPLE, seq.items().stream().map(Values::key).toList());
      case List<?> list -> throw unhashable(value);
      case Map<?, ?> map -> throw unhashable(value);
      case null, default -> value;
    };
  }

  private static TemplateException unhashable(Object value) {
    return new TemplateException(Kind.TYPE, "unhashable type: " + quote(type(value)));
  }
}
