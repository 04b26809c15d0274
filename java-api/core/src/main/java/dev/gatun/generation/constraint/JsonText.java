package dev.gatun.generation.constraint;

import static dev.gatun.generation.constraint.Expression.choice;
import static dev.gatun.generation.constraint.Expression.optional;
import static dev.gatun.generation.constraint.Expression.repeat;
import static dev.gatun.generation.constraint.Expression.sequence;
import static dev.gatun.generation.constraint.Expression.set;
import static dev.gatun.generation.constraint.Expression.star;
import static dev.gatun.generation.constraint.Expression.text;

import dev.gatun.generation.constraint.Expression.Rule;
import java.util.List;

/** The parts of JSON (RFC 8259), and any JSON. */
final class JsonText {
  private static final int MOST_DIGITS = 19;
  private static final int INDENT = 64;

  private static final Expression DIGIT = set(CodePoints.range('0', '9'));
  private static final Expression HEX =
      set(
          CodePoints.range('0', '9')
              .union(CodePoints.range('a', 'f'))
              .union(CodePoints.range('A', 'F')));

  /** What a string may have as it is. */
  static final CodePoints LITERAL =
      CodePoints.ALL
          .minus(CodePoints.range(0, 0x1f))
          .minus(CodePoints.of('"'))
          .minus(CodePoints.of('\\'));

  /**
   * What may stand between two parts: nothing, a space, or one or two ends of lines with an indent.
   * A limit keeps a model from writing nothing else.
   */
  static final Expression SPACE =
      optional(
          choice(
              text(" "),
              sequence(repeat(text("\n"), 1, 2), repeat(set(CodePoints.ofAll(" \t")), 0, INDENT))));

  /** One character of a string, in each of its spellings. */
  static final Expression CHARACTER =
      choice(set(LITERAL), sequence(text("\\"), choice(set(CodePoints.ofAll("\"\\/bfnrt")), u())));

  /** Any string. */
  static final Expression STRING = sequence(text("\""), star(CHARACTER), text("\""));

  /** An integer's digits, without a sign: no more than numbers of 64 bits have. */
  static final Expression NATURAL =
      choice(
          text("0"), sequence(set(CodePoints.range('1', '9')), repeat(DIGIT, 0, MOST_DIGITS - 1)));

  /** Any integer. */
  static final Expression INTEGER = sequence(optional(text("-")), NATURAL);

  /** Digits behind a point. */
  static final Expression FRACTION = sequence(text("."), repeat(DIGIT, 1, MOST_DIGITS));

  /** Any number. */
  static final Expression NUMBER =
      sequence(
          INTEGER,
          optional(FRACTION),
          optional(
              sequence(
                  set(CodePoints.ofAll("eE")),
                  optional(set(CodePoints.ofAll("+-"))),
                  repeat(DIGIT, 1, 2))));

  static final Expression BOOLEAN = choice(text("true"), text("false"));
  static final Expression NULL = text("null");

  private static final Rule VALUE = new Rule("value");

  /** Any object. */
  static final Rule OBJECT = new Rule("object");

  /** Any array. */
  static final Rule ARRAY = new Rule("array");

  static {
    OBJECT.define(
        sequence(
            text("{"),
            SPACE,
            optional(
                list(
                    sequence(STRING, SPACE, text(":"), SPACE, VALUE),
                    0,
                    Expression.Repeat.UNBOUNDED)),
            text("}")));
    ARRAY.define(
        sequence(
            text("["), SPACE, optional(list(VALUE, 0, Expression.Repeat.UNBOUNDED)), text("]")));
    VALUE.define(choice(OBJECT, ARRAY, STRING, NUMBER, BOOLEAN, NULL));
  }

  private JsonText() {}

  /** A list's elements with commas between them and space behind each: one and some more. */
  static Expression list(Expression element, int more, int mostMore) {
    return sequence(
        element, SPACE, repeat(sequence(text(","), SPACE, element, SPACE), more, mostMore));
  }

  /** Any JSON. */
  static Expression value() {
    return VALUE;
  }

  /** Code points by their numbers: those beyond 16 bits as two surrogates, none of them alone. */
  private static Expression u() {
    Expression low =
        sequence(
            text("\\u"), set(CodePoints.ofAll("dD")), set(CodePoints.ofAll("cdefCDEF")), HEX, HEX);
    Expression d = set(CodePoints.ofAll("dD"));
    Expression notD = set(CodePoints.ofAll("0123456789abcefABCEF"));
    return sequence(
        text("u"),
        choice(
            sequence(notD, HEX, HEX, HEX),
            sequence(d, set(CodePoints.range('0', '7')), HEX, HEX),
            sequence(d, set(CodePoints.ofAll("89abAB")), HEX, HEX, low)));
  }

  /** How a code point that no string may have as it is is written. */
  static String escaped(int codePoint) {
    int at = "\"\\\b\f\n\r\t".indexOf(codePoint);
    return at >= 0 ? "\\" + "\"\\bfnrt".charAt(at) : "\\u%04x".formatted(codePoint);
  }

  /** The characters that are written by an escape. */
  static List<Integer> escapedIn(CodePoints set) {
    CodePoints all = set.minus(LITERAL);
    java.util.ArrayList<Integer> found = new java.util.ArrayList<>();
    for (int range = 0; range < all.ranges(); range++) {
      for (int c = all.first(range); c <= all.last(range); c++) {
        found.add(c);
      }
    }
    return found;
  }
}
