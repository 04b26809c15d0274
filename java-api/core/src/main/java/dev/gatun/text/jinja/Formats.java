package dev.gatun.text.jinja;

import dev.gatun.text.jinja.TemplateException.Kind;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Python's {@code %} and {@code str.format}. */
final class Formats {
  private static final int MOST_WIDTH = 10_000;
  private static final Pattern PERCENT =
      Pattern.compile("%(?:\\(([^)]*)\\))?([-+ #0]*)(\\*|\\d*)(?:\\.(\\d*))?([a-zA-Z%])");
  private static final Pattern SPEC =
      Pattern.compile("(?:(.)?([<>^=]))?([-+ ])?(#)?(0)?(\\d*)([,_])?(?:\\.(\\d+))?([a-zA-Z%])?");

  private Formats() {}

  static Text percent(Text format, Object values) {
    String source = format.toString();
    List<Object> all =
        values instanceof Seq seq && seq.kind() == Seq.Kind.TUPLE
            ? seq.items()
            : java.util.Collections.singletonList(values);
    Map<?, ?> named = values instanceof Map<?, ?> map ? map : null;
    Text.Builder out = new Text.Builder();
    int used = 0;
    int start = 0;
    boolean byName = false;
    Matcher matcher = PERCENT.matcher(source);
    for (int at = source.indexOf('%'); at >= 0; at = source.indexOf('%', start)) {
      out.add(format.slice(start, at));
      if (!matcher.region(at, source.length()).lookingAt()) {
        throw new TemplateException(Kind.VALUE, "incomplete format");
      }
      start = matcher.end();
      if (matcher.group(5).equals("%")) {
        out.add(format.slice(at, at + 1));
        continue;
      }
      Object value;
      if (matcher.group(1) != null) {
        if (named == null) {
          throw new TemplateException(Kind.TYPE, "format requires a mapping");
        }
        Text key = Text.template(matcher.group(1));
        if (!named.containsKey(key)) {
          throw new TemplateException(Kind.KEY, Values.quote(matcher.group(1)));
        }
        byName = true;
        value = named.get(key);
      } else {
        if (used >= all.size()) {
          throw new TemplateException(Kind.TYPE, "not enough arguments for format string");
        }
        value = all.get(used++);
      }
      out.add(percent(matcher, value, at));
    }
    out.add(format.from(start));
    if (!byName && used < all.size() && named == null) {
      throw new TemplateException(
          Kind.TYPE, "not all arguments converted during string formatting");
    }
    return out.text();
  }

  private static Text percent(Matcher match, Object value, int at) {
    String flags = match.group(2);
    char type = match.group(5).charAt(0);
    String precision = match.group(4);
    boolean numeric = "diuoxXeEfFgG".indexOf(type) >= 0;
    boolean zero = flags.contains("0") && !flags.contains("-") && numeric;
    String align = flags.contains("-") ? "<" : zero ? "=" : ">";
    String sign = flags.contains("+") ? "+" : flags.contains(" ") ? " " : "";
    Spec spec =
        new Spec(
            zero ? "0" : " ",
            align,
            sign,
            flags.contains("#"),
            width(match.group(3)),
            "",
            precision == null ? -1 : width(precision),
            "iu".indexOf(type) >= 0 ? 'd' : type);
    switch (type) {
      case 's', 'r', 'a' -> {
        Text text = type == 's' ? Values.str(value) : Values.repr(value);
        return spec.pad(spec.cut(text));
      }
      case 'd', 'i', 'u', 'o', 'x', 'X' -> {
        BigInteger whole = Values.whole(value);
        if (whole == null
            && value instanceof Double real
            && type != 'x'
            && type != 'X'
            && type != 'o') {
          whole = new BigDecimal(real).toBigInteger();
        }
        if (whole == null) {
          if (value instanceof Undefined undefined) {
            throw undefined.error();
          }
          throw new TemplateException(
              Kind.TYPE,
              "%%%s format: a%s is required, not %s"
                  .formatted(
                      type,
                      type == 'd' || type == 'i' || type == 'u' ? " real number" : "n integer",
                      Values.type(value)));
        }
        return Text.template(spec.number(whole));
      }
      case 'e', 'E', 'f', 'F', 'g', 'G' -> {
        if (!Values.isNumber(value)) {
          throw new TemplateException(Kind.TYPE, "must be real number, not " + Values.type(value));
        }
        return Text.template(spec.number(Operators.number(value)));
      }
      case 'c' -> {
        return spec.pad(
            value instanceof Text text
                ? text
                : Text.template(Character.toString(Values.index(value))));
      }
      default ->
          throw new TemplateException(
              Kind.VALUE,
              "unsupported format character '%s' (0x%x) at index %d"
                  .formatted(type, (int) type, match.start(5)));
    }
  }

  private static int width(String digits) {
    int width =
        digits.isEmpty() || digits.equals("*")
            ? 0
            : digits.length() > 5 ? MOST_WIDTH + 1 : Integer.parseInt(digits);
    if (width > MOST_WIDTH) {
      throw new TemplateException(Kind.LIMIT, "a format is wider than " + MOST_WIDTH);
    }
    return width;
  }

  /** str.format: fields by position or name, with attributes, elements and a format. */
  static Text braces(Text format, CallArgs args) {
    String source = format.toString();
    Text.Builder out = new Text.Builder();
    int next = 0;
    for (int i = 0; i < source.length(); ) {
      char c = source.charAt(i);
      boolean doubled = i + 1 < source.length() && source.charAt(i + 1) == c;
      if (c != '{' && c != '}' || doubled) {
        out.add(format.slice(i, i + 1));
        i += c == '{' || c == '}' ? 2 : 1;
        continue;
      }
      int end = c == '{' ? source.indexOf('}', i) : -1;
      if (end < 0) {
        throw new TemplateException(
            Kind.VALUE,
            c == '}'
                ? "Single '}' encountered in format string"
                : i + 1 == source.length()
                    ? "Single '{' encountered in format string"
                    : "expected '}' before end of string");
      }
      String field = source.substring(i + 1, end);
      int colon = field.indexOf(':');
      String spec = colon < 0 ? "" : field.substring(colon + 1);
      String name = colon < 0 ? field : field.substring(0, colon);
      String conversion = "";
      int mark = name.indexOf('!');
      if (mark >= 0) {
        conversion = name.substring(mark + 1);
        name = name.substring(0, mark);
      }
      Matcher start = Pattern.compile("[^.\\[]*").matcher(name);
      start.lookingAt();
      String head = start.group();
      Object value = head.isEmpty() ? position(args, next++) : field(args, head);
      value = follow(value, name.substring(head.length()));
      value =
          conversion.equals("r")
              ? Values.repr(value)
              : conversion.equals("s") ? Values.str(value) : value;
      out.add(format(value, spec));
      i = end + 1;
    }
    return out.text();
  }

  private static Object position(CallArgs args, int index) {
    if (index >= args.all().size()) {
      throw new TemplateException(Kind.INDEX, "tuple index out of range");
    }
    return args.all().get(index);
  }

  private static Object field(CallArgs args, String name) {
    if (name.matches("\\d{1,9}")) {
      return position(args, Integer.parseInt(name));
    }
    if (!args.named().containsKey(name)) {
      throw new TemplateException(Kind.KEY, Values.quote(name));
    }
    return args.named().get(name);
  }

  private static Object follow(Object start, String path) {
    Object value = start;
    Matcher part = Pattern.compile("\\.([^.\\[]+)|\\[([^\\]]+)\\]").matcher(path);
    while (part.find()) {
      String name = part.group(1) == null ? part.group(2) : part.group(1);
      Object key =
          part.group(2) != null && name.matches("\\d+")
              ? new BigInteger(name)
              : Text.template(name);
      value = part.group(1) != null ? Access.attribute(value, name) : Access.item(value, key);
      value = value == Values.NONE ? null : value;
    }
    return value;
  }

  private static Text format(Object value, String form) {
    if (form.isEmpty()) {
      return Values.str(value);
    }
    Matcher match = SPEC.matcher(form);
    if (!match.matches()) {
      throw new TemplateException(
          Kind.VALUE,
          "Invalid format specifier '%s' for object of type '%s'"
              .formatted(form, Values.type(value)));
    }
    boolean number =
        Values.isNumber(value) && !(value instanceof Boolean && match.group(9) == null);
    boolean zero = match.group(5) != null;
    String align = match.group(2) != null ? match.group(2) : zero ? "=" : number ? ">" : "<";
    Spec spec =
        new Spec(
            match.group(1) != null ? match.group(1) : zero ? "0" : " ",
            align,
            match.group(3) == null ? "" : match.group(3),
            match.group(4) != null,
            width(match.group(6)),
            match.group(7) == null ? "" : match.group(7),
            match.group(8) == null ? -1 : width(match.group(8)),
            match.group(9) == null ? 0 : match.group(9).charAt(0));
    if (!number) {
      if (spec.type() != 0 && spec.type() != 's'
          || !(value instanceof Text) && !(value instanceof Boolean)) {
        throw new TemplateException(
            value instanceof Text ? Kind.VALUE : Kind.TYPE,
            value instanceof Text
                ? "Unknown format code '%s' for object of type 'str'".formatted(spec.type())
                : "unsupported format string passed to %s.__format__"
                    .formatted(Values.type(value)));
      }
      return spec.pad(spec.cut(Values.str(value)));
    }
    BigInteger whole = Values.whole(value);
    char type = spec.type();
    if (whole != null && (type == 0 || "dxXobnc".indexOf(type) >= 0)) {
      return Text.template(spec.number(whole));
    }
    if (type != 0 && "eEfFgGn%".indexOf(type) < 0) {
      throw new TemplateException(
          Kind.VALUE,
          "Unknown format code '%s' for object of type '%s'".formatted(type, Values.type(value)));
    }
    return Text.template(spec.number(Operators.number(value)));
  }

  /** How one value is written. */
  private record Spec(
      String fill,
      String align,
      String sign,
      boolean alternate,
      int width,
      String group,
      int precision,
      char type) {

    Text cut(Text text) {
      return precision < 0 || text.codePoints() <= precision
          ? text
          : text.slice(0, text.toString().offsetByCodePoints(0, precision));
    }

    Text pad(Text text) {
      Text with = Text.template(fill);
      return switch (align) {
        case "<" -> Strings.pad(text, width, with, false, true);
        case "^" -> {
          int missing = Math.max(0, width - text.codePoints());
          yield Strings.repeat(with, missing / 2)
              .plus(text)
              .plus(Strings.repeat(with, missing - missing / 2));
        }
        default -> Strings.pad(text, width, with, true, false);
      };
    }

    String number(BigInteger value) {
      if (type == 'c') {
        return pad(Text.template(Character.toString(value.intValue()))).toString();
      }
      int radix = type == 'x' || type == 'X' ? 16 : type == 'o' ? 8 : type == 'b' ? 2 : 10;
      String digits = radix == 10 ? Values.digits(value.abs()) : value.abs().toString(radix);
      if (precision > digits.length()) {
        digits = "0".repeat(precision - digits.length()) + digits;
      }
      String prefix = alternate && radix != 10 ? "0" + type : "";
      digits = type == 'X' ? digits.toUpperCase(java.util.Locale.ROOT) : digits;
      return signed(value.signum() < 0, prefix, grouped(digits, radix == 10 ? 3 : 4));
    }

    String number(double value) {
      double size = Math.abs(value);
      boolean minus = value < 0 || value == 0 && 1 / value < 0;
      String digits;
      if (Double.isNaN(value) || Double.isInfinite(value)) {
        digits = Double.isNaN(value) ? "nan" : "inf";
      } else {
        int places = precision < 0 ? 6 : precision;
        digits =
            switch (type) {
              case 'f', 'F' -> fixed(size, places);
              case '%' -> fixed(size * 100, places) + "%";
              case 'e', 'E' -> exponent(size, places);
              case 0 ->
                  precision < 0 ? Floats.repr(size) : general(size, Math.max(1, places), true);
              default -> general(size, Math.max(1, places), false);
            };
      }
      digits = Character.isUpperCase(type) ? digits.toUpperCase(java.util.Locale.ROOT) : digits;
      int point = digits.indexOf('.');
      if (!group.isEmpty()) {
        String before = point < 0 ? digits : digits.substring(0, point);
        digits = grouped(before, 3) + (point < 0 ? "" : digits.substring(point));
      }
      return signed(minus, "", digits);
    }

    private String grouped(String digits, int size) {
      if (group.isEmpty()) {
        return digits;
      }
      StringBuilder out = new StringBuilder(digits);
      for (int i = digits.length() - size; i > 0; i -= size) {
        out.insert(i, group);
      }
      return out.toString();
    }

    private String signed(boolean minus, String prefix, String digits) {
      String before = (minus ? "-" : sign.equals("-") ? "" : sign) + prefix;
      int missing = width - before.length() - digits.length();
      if (align.equals("=")) {
        return before + fill.repeat(Math.max(0, missing)) + digits;
      }
      return pad(Text.template(before + digits)).toString();
    }

    private static String fixed(double value, int places) {
      return new BigDecimal(value).setScale(places, RoundingMode.HALF_EVEN).toPlainString();
    }

    private static String exponent(double value, int places) {
      if (value == 0) {
        return (places > 0 ? "0." + "0".repeat(places) : "0") + "e+00";
      }
      BigDecimal rounded =
          new BigDecimal(value).round(new MathContext(places + 1, RoundingMode.HALF_EVEN));
      String digits = rounded.unscaledValue().toString();
      int exponent = digits.length() - 1 - rounded.scale();
      digits = (digits + "0".repeat(places + 1)).substring(0, places + 1);
      return digits.charAt(0)
          + (places > 0 ? "." + digits.substring(1) : "")
          + "e%s%02d".formatted(exponent < 0 ? "-" : "+", Math.abs(exponent));
    }

    private static String general(double value, int digits, boolean point) {
      String scientific = exponent(value, digits - 1);
      int at = scientific.indexOf('e');
      int exponent = Integer.parseInt(scientific.substring(at + 1));
      if (exponent < -4 || exponent >= digits - (point ? 1 : 0)) {
        return trimmed(scientific.substring(0, at), false) + scientific.substring(at);
      }
      return trimmed(fixed(value, digits - 1 - exponent), point);
    }

    private static String trimmed(String digits, boolean point) {
      if (digits.indexOf('.') < 0) {
        return point ? digits + ".0" : digits;
      }
      String trimmed = digits.replaceAll("0+$", "");
      return trimmed.endsWith(".")
          ? point ? trimmed + "0" : trimmed.substring(0, trimmed.length() - 1)
          : trimmed;
    }
  }
}
