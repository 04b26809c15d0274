package dev.gatun.text;

import java.text.Normalizer;

/**
 * What characters are to a tokenizer of BERT's kind, as far as it is the same in every version of
 * Unicode: white space, punctuation that is a word alone, or parts of words.
 */
final class BertWords {
  private static final int HANGUL_FIRST = 0xAC00;
  private static final int HANGUL_LAST = 0xD7A3;
  private static final int JOINER = 0x200D;

  /** Punctuation that is younger than Unicode 8, beside what lies behind U+2E42. */
  private static final String NEWER =
      "\u061d\u09fd\u0a76\u0c77\u0c84\u1b4e\u1b4f\u1b7d\u1b7e\u1b7f";

  private BertWords() {}

  static boolean space(int point) {
    return point == ' ' || point == '\t' || point == '\n' || point == '\r';
  }

  /** Whether a character is a word alone, whatever stands around it. */
  static boolean alone(int point) {
    if (point < 0x80) {
      return point > ' ' && point < 0x7F && !Character.isLetterOrDigit(point);
    }
    return point < 0x10000
        && NEWER.indexOf(point) < 0
        && (point < 0x2E43 || point > 0x2E7F)
        && punctuation(point);
  }

  private static boolean punctuation(int point) {
    return switch (Character.getType(point)) {
      case Character.CONNECTOR_PUNCTUATION,
          Character.DASH_PUNCTUATION,
          Character.START_PUNCTUATION,
          Character.END_PUNCTUATION,
          Character.INITIAL_QUOTE_PUNCTUATION,
          Character.FINAL_QUOTE_PUNCTUATION,
          Character.OTHER_PUNCTUATION ->
          true;
      default -> false;
    };
  }

  /** What is left of a comparison that is struck out, where its stroke is taken off as a mark. */
  static char bare(char c) {
    return switch (c) {
      case '\u2260' -> '=';
      case '\u226e' -> '<';
      case '\u226f' -> '>';
      default -> c;
    };
  }

  /** Whether a character is a part of a word and not a mark that may be taken off it. */
  static boolean base(int point) {
    return !Character.isIdeographic(point) && (Character.isLetterOrDigit(point) || symbol(point));
  }

  /** Neither white space nor punctuation nor an ideograph, which are no parts of longer words. */
  static boolean inside(int point) {
    return base(point)
        || (point < 0x10000 && Character.getType(point) == Character.NON_SPACING_MARK)
        || point == JOINER;
  }

  /** A base that every version of Unicode keeps, so that it counts for a word's length. */
  static boolean counts(int point) {
    return base(point)
        && (point < 0x2000 || (point >= HANGUL_FIRST && point <= HANGUL_LAST) || symbol(point));
  }

  /** Of the old symbols and pictures, which never come apart into punctuation. */
  private static boolean symbol(int point) {
    boolean old =
        (point > 0x7F && point < 0x100)
            || (point >= 0x20A0 && point <= 0x20B9)
            || (point >= 0x2190 && point <= 0x23E1)
            || (point >= 0x2500 && point <= 0x2704)
            || (point >= 0x1F300 && point <= 0x1F3FA)
            || (point >= 0x1F400 && point <= 0x1F579)
            || (point >= 0x1F600 && point <= 0x1F642)
            || (point >= 0x1F680 && point <= 0x1F6C5);
    return old
        && symbolType(point)
        && Normalizer.isNormalized(Character.toString(point), Normalizer.Form.NFD);
  }

  private static boolean symbolType(int point) {
    int type = Character.getType(point);
    return type == Character.OTHER_SYMBOL
        || type == Character.MATH_SYMBOL
        || type == Character.CURRENCY_SYMBOL
        || type == Character.MODIFIER_SYMBOL;
  }
}
