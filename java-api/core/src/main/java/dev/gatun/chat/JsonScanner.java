package dev.gatun.chat;

/**
 * Finds where a JSON value ends, character by character. What is nested in it is checked for its
 * brackets and strings, and no further.
 */
final class JsonScanner {
  /** What a character is to a value. */
  enum Step {
    /** It belongs to the value, which goes on. */
    INSIDE,
    /** It is the value's last one. */
    LAST,
    /** It follows the value. */
    AFTER,
    /** It cannot be there. */
    WRONG
  }

  private final StringBuilder open = new StringBuilder();
  private boolean begun;
  private boolean inString;
  private boolean escaped;

  /** Takes a character; the first one is the value's first. */
  Step step(char c) {
    if (inString) {
      if (escaped) {
        escaped = false;
      } else if (c == '\\') {
        escaped = true;
      } else if (c == '"') {
        inString = false;
        return end();
      }
      return Step.INSIDE;
    }
    boolean scalar = begun && open.isEmpty();
    if (scalar && !isScalar(c)) {
      return Step.AFTER;
    }
    begun = true;
    switch (c) {
      case '"' -> inString = true;
      case '{' -> open.append('}');
      case '[' -> open.append(']');
      case '}', ']' -> {
        int last = open.length() - 1;
        if (last < 0 || open.charAt(last) != c) {
          return Step.WRONG;
        }
        open.setLength(last);
        return end();
      }
      default -> {
        if (open.isEmpty() && !isScalar(c)) {
          return Step.WRONG;
        }
      }
    }
    return Step.INSIDE;
  }

  private Step end() {
    return open.isEmpty() ? Step.LAST : Step.INSIDE;
  }

  private static boolean isScalar(char c) {
    return c >= '0' && c <= '9'
        || c >= 'a' && c <= 'z'
        || c == '-'
        || c == '+'
        || c == '.'
        || c == 'E';
  }
}
