package dev.gatun.text.hf;

/** Between Java's UTF-16 and the code points that native tokenizers count in. */
final class Utf16 {
  private Utf16() {}

  /** {@code text} with U+FFFD for each surrogate that has no partner; the length stays the same. */
  static String repair(String text) {
    char[] repaired = null;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (!Character.isSurrogate(c)) {
        continue;
      }
      boolean pair =
          Character.isHighSurrogate(c)
              && i + 1 < text.length()
              && Character.isLowSurrogate(text.charAt(i + 1));
      if (pair) {
        i++;
      } else {
        if (repaired == null) {
          repaired = text.toCharArray();
        }
        repaired[i] = '\uFFFD';
      }
    }
    return repaired == null ? text : new String(repaired);
  }

  /**
   * The index in {@code text} of each code point and of its end, or null if they are the same
   * numbers.
   */
  static int[] indexes(String text) {
    int points = text.codePointCount(0, text.length());
    if (points == text.length()) {
      return null;
    }
    int[] indexes = new int[points + 1];
    int at = 0;
    for (int p = 0; p < points; p++) {
      indexes[p] = at;
      at += Character.charCount(text.codePointAt(at));
    }
    indexes[points] = at;
    return indexes;
  }

  /** How many bytes {@code text}, whose surrogates are pairs, has in UTF-8. */
  static long bytes(String text) {
    long bytes = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      bytes += c < 0x80 ? 1 : c < 0x800 || Character.isSurrogate(c) ? 2 : 3;
    }
    return bytes;
  }
}
