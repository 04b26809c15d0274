package dev.gatun.text.jinja;

/** The escapes of Python's string literals. */
final class Escapes {
  private Escapes() {}

  static String read(String body) {
    if (body.indexOf('\\') < 0) {
      return body;
    }
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < body.length(); i++) {
      char c = body.charAt(i);
      if (c != '\\' || i + 1 == body.length()) {
        out.append(c);
        continue;
      }
      char e = body.charAt(++i);
      switch (e) {
        case 'n' -> out.append('\n');
        case 't' -> out.append('\t');
        case 'r' -> out.append('\r');
        case 'a' -> out.append('\u0007');
        case 'b' -> out.append('\b');
        case 'f' -> out.append('\f');
        case 'v' -> out.append('\u000b');
        case '\n' -> {}
        case '\\', '\'', '"' -> out.append(e);
        case 'x' -> i = code(body, i, 2, out);
        case 'u' -> i = code(body, i, 4, out);
        case 'U' -> i = code(body, i, 8, out);
        case '0', '1', '2', '3', '4', '5', '6', '7' -> {
          int end = i;
          while (end < body.length() && end < i + 3 && "01234567".indexOf(body.charAt(end)) >= 0) {
            end++;
          }
          out.appendCodePoint(Integer.parseInt(body, i, end, 8));
          i = end - 1;
        }
        default -> out.append('\\').append(e);
      }
    }
    return out.toString();
  }

  private static int code(String body, int at, int digits, StringBuilder out) {
    int end = Math.min(body.length(), at + 1 + digits);
    try {
      if (end == at + 1 + digits) {
        out.appendCodePoint(Integer.parseInt(body, at + 1, end, 16));
        return end - 1;
      }
    } catch (IllegalArgumentException e) {
      // Not the digits of a character: told below.
    }
    throw new TemplateException(
        TemplateException.Kind.SYNTAX,
        "the escape \\"
            + body.substring(at, end)
            + " is not a character: expected "
            + digits
            + " hexadecimal digits");
  }
}
