package dev.gatun.chat;

/** The characters of a JSON string, whose opening quote is past. */
final class JsonText {
  private boolean escaped;
  private int digits = -1;
  private int code;

  /** Takes a character; puts what it makes certain behind {@code to}; false for the last quote. */
  boolean step(char c, StringBuilder to) {
    if (digits >= 0) {
      int digit = Character.digit(c, 16);
      if (digit < 0) {
        // Not as JSON has it: shown as it is.
        to.append("\\u").append(c);
        digits = -1;
        return true;
      }
      code = code * 16 + digit;
      if (++digits == 4) {
        to.append((char) code);
        digits = -1;
      }
      return true;
    }
    if (escaped) {
      escaped = false;
      switch (c) {
        case 'n' -> to.append('\n');
        case 't' -> to.append('\t');
        case 'r' -> to.append('\r');
        case 'b' -> to.append('\b');
        case 'f' -> to.append('\f');
        case 'u' -> {
          digits = 0;
          code = 0;
        }
        default -> to.append(c);
      }
      return true;
    }
    if (c == '\\') {
      escaped = true;
      return true;
    }
    if (c == '"') {
      return false;
    }
    to.append(c);
    return true;
  }
}
