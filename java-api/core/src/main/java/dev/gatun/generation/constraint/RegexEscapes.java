package dev.gatun.generation.constraint;

import java.util.Map;
import java.util.function.IntPredicate;

/** What a backslash and what follows it stand for in a regular expression of ECMA-262. */
final class RegexEscapes {
  private static final CodePoints DIGITS = CodePoints.range('0', '9');
  private static final CodePoints WORD =
      DIGITS
          .union(CodePoints.range('a', 'z'))
          .union(CodePoints.range('A', 'Z'))
          .union(CodePoints.of('_'));
  private static final CodePoints SPACE =
      CodePoints.ofAll("\t\n\u000b\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff")
          .union(CodePoints.range(0x2000, 0x200a));

  private static final Map<String, String> LONG_NAMES =
      Map.ofEntries(
          Map.entry("Letter", "L"),
          Map.entry("Uppercase_Letter", "Lu"),
          Map.entry("Lowercase_Letter", "Ll"),
          Map.entry("Mark", "M"),
          Map.entry("Number", "N"),
          Map.entry("Decimal_Number", "Nd"),
          Map.entry("Punctuation", "P"),
          Map.entry("Symbol", "S"),
          Map.entry("Separator", "Z"),
          Map.entry("Other", "C"));

  private static final String[] CATEGORIES = new String[Character.FINAL_QUOTE_PUNCTUATION + 1];

  static {
    // By the numbers of Character.getType.
    String[][] named = {
      {"Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Me", "Mc", "Nd", "Nl", "No", "Zs", "Zl", "Zp"},
      {"Cc", "Cf", "", "Co", "Cs", "Pd", "Ps", "Pe", "Pc", "Po", "Sm", "Sc", "Sk", "So"},
      {"Pi", "Pf"}
    };
    int at = 0;
    for (String[] some : named) {
      for (String name : some) {
        CATEGORIES[at++] = name;
      }
    }
  }

  private RegexEscapes() {}

  /** Reads one at the parser's place, which it leaves behind it. */
  static CodePoints read(RegexParser parser, boolean inClass) {
    String source = parser.source();
    int begin = parser.at();
    if (begin + 1 == source.length()) {
      throw parser.wrong("'\\' with nothing behind it");
    }
    int c = source.codePointAt(begin + 1);
    parser.go(begin + 1 + Character.charCount(c));
    switch (c) {
      case 'd':
        return DIGITS;
      case 'D':
        return DIGITS.complement();
      case 'w':
        return WORD;
      case 'W':
        return WORD.complement();
      case 's':
        return SPACE;
      case 'S':
        return SPACE.complement();
      case 't':
        return CodePoints.of('\t');
      case 'n':
        return CodePoints.of('\n');
      case 'v':
        return CodePoints.of(0x0b);
      case 'f':
        return CodePoints.of('\f');
      case 'r':
        return CodePoints.of('\r');
      case '0':
        return CodePoints.of(0);
      case 'x':
        return CodePoints.of(hex(parser, 2));
      case 'u':
        return CodePoints.of(unicode(parser));
      case 'c':
        return CodePoints.of(control(parser));
      case 'p', 'P':
        CodePoints set = property(parser);
        return c == 'p' ? set : set.complement();
      default:
        break;
    }
    if (c == 'b' && inClass) {
      return CodePoints.of('\b');
    }
    if (c == 'b' || c == 'B') {
      parser.go(begin);
      throw parser.wrong("\\%c, a word boundary, which is not supported".formatted(c));
    }
    if (c >= '1' && c <= '9' || c == 'k') {
      parser.go(begin);
      throw parser.wrong("\\%c, a back-reference, which is not supported".formatted(c));
    }
    if (c < 0x80 && Character.isLetterOrDigit(c)) {
      parser.go(begin);
      throw parser.wrong("\\%c, which has no meaning".formatted(c));
    }
    return CodePoints.of(c);
  }

  private static int hex(RegexParser parser, int digits) {
    int begin = parser.at();
    int end = begin + digits;
    if (end > parser.source().length()
        || !parser.source().substring(begin, end).matches("[0-9a-fA-F]+")) {
      throw parser.wrong("expected %d hexadecimal digits".formatted(digits));
    }
    parser.go(end);
    return Integer.parseInt(parser.source(), begin, end, 16);
  }

  private static int unicode(RegexParser parser) {
    if (parser.take('{')) {
      int end = parser.source().indexOf('}', parser.at());
      int digits = end - parser.at();
      if (digits < 1 || digits > 6) {
        throw parser.wrong("expected 1 to 6 hexadecimal digits and '}'");
      }
      int value = hex(parser, digits);
      parser.go(end + 1);
      return scalar(parser, value);
    }
    int value = hex(parser, 4);
    if (Character.isHighSurrogate((char) value) && parser.source().startsWith("\\u", parser.at())) {
      parser.go(parser.at() + 2);
      int low = hex(parser, 4);
      if (Character.isLowSurrogate((char) low)) {
        return Character.toCodePoint((char) value, (char) low);
      }
    }
    return scalar(parser, value);
  }

  private static int scalar(RegexParser parser, int value) {
    if (value > Character.MAX_CODE_POINT
        || value >= Character.MIN_SURROGATE && value <= Character.MAX_SURROGATE) {
      throw parser.wrong("U+%04X is no character".formatted(value));
    }
    return value;
  }

  private static int control(RegexParser parser) {
    if (parser.at() < parser.source().length()) {
      int letter = parser.peek();
      if (letter < 0x80 && Character.isLetter(letter)) {
        parser.go(parser.at() + 1);
        return letter % 32;
      }
    }
    throw parser.wrong("expected a letter behind \\c");
  }

  private static CodePoints property(RegexParser parser) {
    int end = parser.source().indexOf('}', parser.at());
    if (!parser.take('{') || end < 0) {
      throw parser.wrong("expected a property in braces");
    }
    String given = parser.source().substring(parser.at(), end);
    IntPredicate predicate = predicate(given);
    if (predicate == null) {
      throw parser.wrong(
          "the property '%s', which is not supported: general categories, scripts, Alphabetic,"
                  .formatted(given)
              + " Uppercase, Lowercase, White_Space, ASCII and Any are");
    }
    parser.go(end + 1);
    return CodePoints.property(given, predicate);
  }

  private static IntPredicate predicate(String given) {
    int equals = given.indexOf('=');
    String key = equals < 0 ? "" : given.substring(0, equals);
    String value = given.substring(equals + 1);
    if (key.equals("Script") || key.equals("sc")) {
      try {
        Character.UnicodeScript script = Character.UnicodeScript.forName(value);
        return c -> Character.UnicodeScript.of(c) == script;
      } catch (IllegalArgumentException e) {
        return null;
      }
    }
    if (!key.isEmpty() && !key.equals("General_Category") && !key.equals("gc")) {
      return null;
    }
    switch (value) {
      case "Any":
        return _ -> true;
      case "ASCII":
        return c -> c < 0x80;
      case "Alphabetic", "Alpha":
        return Character::isAlphabetic;
      case "Uppercase", "Upper":
        return Character::isUpperCase;
      case "Lowercase", "Lower":
        return Character::isLowerCase;
      case "White_Space", "space":
        return c -> Character.isSpaceChar(c) || c >= 9 && c <= 13 || c == 0x85;
      default:
        break;
    }
    String name = LONG_NAMES.getOrDefault(value, value);
    for (String category : CATEGORIES) {
      if (!name.isEmpty() && category.startsWith(name) && name.length() <= 2) {
        return c -> CATEGORIES[Character.getType(c)].startsWith(name);
      }
    }
    return null;
  }
}
