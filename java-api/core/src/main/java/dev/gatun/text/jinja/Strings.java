package dev.gatun.text.jinja;

import dev.gatun.text.jinja.TemplateException.Kind;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.function.IntPredicate;

/** Python's operations on strings, each of which keeps who wrote the characters. */
final class Strings {
  private Strings() {}

  static boolean space(int c) {
    return Character.isWhitespace(c) || Character.isSpaceChar(c) || c == 0x85;
  }

  /** Without the characters of {@code chars}, or white space if it is null, at the ends. */
  static Text strip(Text text, Object chars, boolean left, boolean right) {
    String value = text.toString();
    String set = chars == null ? null : need(chars).toString();
    IntPredicate drop = c -> set == null ? space(c) : set.indexOf(c) >= 0;
    int start = 0;
    int end = value.length();
    while (left && start < end && drop.test(value.codePointAt(start))) {
      start += Character.charCount(value.codePointAt(start));
    }
    while (right && end > start && drop.test(value.codePointBefore(end))) {
      end -= Character.charCount(value.codePointBefore(end));
    }
    return text.slice(start, end);
  }

  /** A string argument. */
  static Text need(Object value) {
    if (value instanceof Text text) {
      return text;
    } else if (value instanceof Undefined undefined) {
      throw undefined.error();
    }
    throw new TemplateException(Kind.TYPE, "must be str, not " + Values.type(value));
  }

  static List<Object> split(Text text, Object separator, int most) {
    if (separator == null) {
      return splitSpace(text, most);
    }
    String value = text.toString();
    String by = separator(separator);
    List<Object> parts = new ArrayList<>();
    int start = 0;
    for (int at = value.indexOf(by); at >= 0 && (most < 0 || parts.size() < most); ) {
      parts.add(text.slice(start, at));
      start = at + by.length();
      at = value.indexOf(by, start);
    }
    parts.add(text.from(start));
    return counted(parts);
  }

  private static String separator(Object separator) {
    String by = need(separator).toString();
    if (by.isEmpty()) {
      throw new TemplateException(Kind.VALUE, "empty separator");
    }
    return by;
  }

  private static List<Object> counted(List<Object> parts) {
    Budget.spend(parts.size());
    return parts;
  }

  private static List<Object> splitSpace(Text text, int most) {
    String value = text.toString();
    List<Object> parts = new ArrayList<>();
    int at = skip(value, 0, true);
    while (at < value.length()) {
      int end = most >= 0 && parts.size() == most ? value.length() : skip(value, at, false);
      Text part = text.slice(at, end);
      parts.add(part);
      at = skip(value, end, true);
    }
    return counted(parts);
  }

  private static int skip(String value, int from, boolean spaces) {
    int at = from;
    while (at < value.length() && space(value.charAt(at)) == spaces) {
      at++;
    }
    return at;
  }

  static List<Object> rsplit(Text text, Object separator, int most) {
    if (most < 0) {
      return split(text, separator, -1);
    }
    String value = text.toString();
    List<Object> parts = new ArrayList<>();
    int end = value.length();
    if (separator == null) {
      Text rest = strip(text, null, false, true);
      while (!rest.isEmpty()) {
        String all = rest.toString();
        int at = all.length();
        while (at > 0 && !space(all.charAt(at - 1))) {
          at--;
        }
        if (parts.size() == most) {
          parts.add(rest);
          break;
        }
        parts.add(rest.from(at));
        rest = strip(rest.slice(0, at), null, false, true);
      }
    } else {
      String by = separator(separator);
      for (int at = value.lastIndexOf(by); at >= 0 && parts.size() < most; ) {
        parts.add(text.slice(at + by.length(), end));
        end = at;
        at = value.lastIndexOf(by, at - by.length());
      }
      parts.add(text.slice(0, end));
    }
    Collections.reverse(parts);
    return counted(parts);
  }

  static List<Object> lines(Text text, boolean keepEnds) {
    String value = text.toString();
    List<Object> lines = new ArrayList<>();
    int start = 0;
    while (start < value.length()) {
      int end = start;
      while (end < value.length() && !lineEnd(value.charAt(end))) {
        end++;
      }
      int next = Math.min(end + 1, value.length());
      if (end + 1 < value.length() && value.charAt(end) == '\r' && value.charAt(end + 1) == '\n') {
        next++;
      }
      lines.add(text.slice(start, keepEnds ? next : end));
      start = next;
    }
    return counted(lines);
  }

  private static boolean lineEnd(char c) {
    return c == '\n'
        || c >= 0x0b && c <= '\r'
        || c >= 0x1c && c <= 0x1e
        || c == 0x85
        || c == '\u2028'
        || c == '\u2029';
  }

  static Text replace(Text text, Text old, Text by, int most) {
    String value = text.toString();
    Text.Builder out = new Text.Builder();
    int start = 0;
    int count = 0;
    if (old.isEmpty()) {
      for (Text c : text.characters()) {
        if (most < 0 || count++ < most) {
          out.add(by);
        }
        out.add(c);
      }
      return most < 0 || count < most ? out.add(by).text() : out.text();
    }
    String find = old.toString();
    for (int at = value.indexOf(find); at >= 0 && (most < 0 || count < most); count++) {
      out.add(text.slice(start, at)).add(by);
      start = at + find.length();
      at = value.indexOf(find, start);
    }
    return out.add(text.from(start)).text();
  }

  static Text join(Text separator, List<Object> parts, boolean any) {
    Text.Builder out = new Text.Builder();
    for (int i = 0; i < parts.size(); i++) {
      Object part = parts.get(i);
      if (!any && !(part instanceof Text)) {
        throw new TemplateException(
            Kind.TYPE,
            "sequence item %d: expected str instance, %s found".formatted(i, Values.type(part)));
      }
      if (i > 0) {
        out.add(separator);
      }
      out.add(Values.str(part));
    }
    return out.text();
  }

  static Text upper(Text text) {
    return text.map(run -> run.toUpperCase(Locale.ROOT));
  }

  static Text lower(Text text) {
    return text.map(run -> run.toLowerCase(Locale.ROOT));
  }

  static Text capitalize(Text text) {
    if (text.isEmpty()) {
      return text;
    }
    int first = Character.charCount(text.toString().codePointAt(0));
    return head(text.slice(0, first)).plus(lower(text.from(first)));
  }

  private static Text head(Text letter) {
    return letter.map(
        run -> {
          int c = run.codePointAt(0);
          int title = Character.toTitleCase(c);
          String upper = run.toUpperCase(Locale.ROOT);
          if (title == c && !upper.equals(run)) {
            // One letter that becomes several: only the first of them is a capital.
            int first = upper.offsetByCodePoints(0, 1);
            return upper.substring(0, first) + upper.substring(first).toLowerCase(Locale.ROOT);
          }
          return Character.toString(title);
        });
  }

  /** str.title(): letters that follow no letter are capitals. */
  static Text title(Text text) {
    Text.Builder out = new Text.Builder();
    boolean inside = false;
    for (Text c : text.characters()) {
      int point = c.toString().codePointAt(0);
      boolean cased =
          Character.isUpperCase(point)
              || Character.isLowerCase(point)
              || Character.isTitleCase(point);
      out.add(!cased ? c : inside ? lower(c) : head(c));
      inside = cased;
    }
    return out.text();
  }

  static Text swapcase(Text text) {
    Text.Builder out = new Text.Builder();
    for (Text c : text.characters()) {
      out.add(Character.isUpperCase(c.toString().codePointAt(0)) ? lower(c) : upper(c));
    }
    return out.text();
  }

  /** Padded to {@code width} characters; {@code left} and {@code right} say where. */
  static Text pad(Text text, int width, Text fill, boolean left, boolean right) {
    int missing = Math.max(0, width - text.codePoints());
    // Python gives the odd one to the left only if the width is odd too.
    int before = left && right ? missing / 2 + (missing & width & 1) : left ? missing : 0;
    return new Text.Builder()
        .add(repeat(fill, before))
        .add(text)
        .add(repeat(fill, missing - before))
        .text();
  }

  static Text repeat(Text text, int count) {
    return (Text) Operators.binary("*", text, Values.integer(count));
  }
}
