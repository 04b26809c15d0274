package dev.gatun.text.jinja;

import dev.gatun.text.jinja.TemplateException.Kind;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** JSON as Python's json.dumps writes it. */
final class Json {
  private static final int MOST_DEPTH = 200;

  private final boolean ascii;
  private final String indent;
  private final Text between;
  private final Text after;
  private final boolean sorted;
  private final Text.Builder out = new Text.Builder();

  private Json(boolean ascii, String indent, Text between, Text after, boolean sorted) {
    this.ascii = ascii;
    this.indent = indent;
    this.between = between;
    this.after = after;
    this.sorted = sorted;
  }

  static Text write(Object value, CallArgs args) {
    args.check("tojson", "ensure_ascii", "indent", "separators", "sort_keys");
    Object indent = args.get(1, "indent", null);
    String spaces = null;
    if (indent instanceof Text text) {
      spaces = text.toString();
    } else if (indent != null) {
      spaces = " ".repeat(Math.min(1000, Math.max(0, Values.index(indent))));
    }
    Text between = Text.template(indent == null ? ", " : ",");
    Text after = Text.template(": ");
    Object separators = args.get(2, "separators", null);
    if (separators != null) {
      List<Object> both = Values.items(separators);
      if (both.size() != 2) {
        throw new TemplateException(Kind.VALUE, "separators must be two strings");
      }
      between = Values.str(both.get(0));
      after = Values.str(both.get(1));
    }
    boolean ascii = args.truth(0, "ensure_ascii", false);
    Json json = new Json(ascii, spaces, between, after, args.truth(3, "sort_keys", false));
    json.value(value, 0);
    return json.out.text();
  }

  private void value(Object value, int depth) {
    if (depth > MOST_DEPTH) {
      throw new TemplateException(Kind.RECURSION, "a value is nested deeper than " + MOST_DEPTH);
    }
    switch (value) {
      case null -> out.add("null");
      case Boolean bool -> out.add(bool.toString());
      case BigInteger number -> out.add(Values.digits(number));
      case Double number -> out.add(number(number));
      case Text text -> string(text);
      case List<?> list -> array(list, depth);
      case Seq seq when seq.kind() == Seq.Kind.TUPLE -> array(seq.items(), depth);
      case Map<?, ?> map -> object(map, depth);
      default ->
          throw new TemplateException(
              Kind.TYPE,
              "Object of type %s is not JSON serializable".formatted(Values.type(value)));
    }
  }

  private static String number(double value) {
    if (Double.isNaN(value)) {
      return "NaN";
    } else if (Double.isInfinite(value)) {
      return value > 0 ? "Infinity" : "-Infinity";
    }
    return Floats.repr(value);
  }

  private void array(List<?> items, int depth) {
    if (items.isEmpty()) {
      out.add("[]");
      return;
    }
    out.add("[");
    boolean first = true;
    for (Object item : items) {
      next(first, depth + 1);
      first = false;
      value(item, depth + 1);
    }
    line(depth);
    out.add("]");
  }

  private void object(Map<?, ?> map, int depth) {
    if (map.isEmpty()) {
      out.add("{}");
      return;
    }
    List<Map.Entry<?, ?>> entries = new ArrayList<>(map.entrySet());
    if (sorted) {
      entries.sort((a, b) -> Operators.compare("<", a.getKey(), b.getKey()));
    }
    out.add("{");
    boolean first = true;
    for (Map.Entry<?, ?> entry : entries) {
      next(first, depth + 1);
      first = false;
      string(key(entry.getKey()));
      out.add(after);
      value(entry.getValue(), depth + 1);
    }
    line(depth);
    out.add("}");
  }

  private static Text key(Object key) {
    return switch (key) {
      case null -> Text.template("null");
      case Text text -> text;
      case Boolean bool -> Text.template(bool.toString());
      case BigInteger number -> Text.template(number.toString());
      case Double number -> Text.template(number(number));
      default ->
          throw new TemplateException(
              Kind.TYPE, "keys must be str, int, float, bool or None, not " + Values.type(key));
    };
  }

  private void next(boolean first, int depth) {
    if (!first) {
      out.add(between);
    }
    line(depth);
  }

  private void line(int depth) {
    if (indent != null) {
      out.add("\n");
      for (int i = 0; i < depth; i++) {
        out.add(indent);
      }
    }
  }

  private void string(Text text) {
    out.add("\"");
    out.add(text.map(this::escape));
    out.add("\"");
  }

  private String escape(String run) {
    StringBuilder made = new StringBuilder();
    for (int i = 0; i < run.length(); i++) {
      char c = run.charAt(i);
      switch (c) {
        case '"' -> made.append("\\\"");
        case '\\' -> made.append("\\\\");
        case '\n' -> made.append("\\n");
        case '\r' -> made.append("\\r");
        case '\t' -> made.append("\\t");
        case '\f' -> made.append("\\f");
        case '\b' -> made.append("\\b");
        default -> {
          if (c < ' ' || ascii && c > '~') {
            made.append("\\u%04x".formatted((int) c));
          } else {
            made.append(c);
          }
        }
      }
    }
    return made.toString();
  }
}
