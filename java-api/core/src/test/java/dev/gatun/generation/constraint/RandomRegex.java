package dev.gatun.generation.constraint;

import java.util.BitSet;
import java.util.Random;
import java.util.regex.Pattern;

/**
 * Regular expressions that are drawn, and what they match. java.util.regex says which characters an
 * atom takes; what is built of atoms is matched by the sets of places where each part can end,
 * since java.util.regex tries the ways of a nested repetition one after the other, of which there
 * may be more than can ever be tried.
 */
sealed interface RandomRegex {
  /** The places where a match of this ends that begins at one of {@code starts}. */
  BitSet ends(int[] text, BitSet starts);

  /** Whether all of a text matches. */
  default boolean matches(String text) {
    int[] points = text.codePoints().toArray();
    BitSet start = new BitSet();
    start.set(0);
    return ends(points, start).get(points.length);
  }

  /** One character. */
  record Atom(String regex, Pattern pattern) implements RandomRegex {
    static Atom of(String regex) {
      return new Atom(regex, Pattern.compile(regex));
    }

    @Override
    public BitSet ends(int[] text, BitSet starts) {
      BitSet ends = new BitSet();
      for (int at = starts.nextSetBit(0);
          at >= 0 && at < text.length;
          at = starts.nextSetBit(at + 1)) {
        ends.set(at + 1, pattern.matcher(Character.toString(text[at])).matches());
      }
      return ends;
    }

    @Override
    public String toString() {
      return regex;
    }
  }

  /** Nothing. */
  record Empty() implements RandomRegex {
    @Override
    public BitSet ends(int[] text, BitSet starts) {
      return starts;
    }

    @Override
    public String toString() {
      return "";
    }
  }

  /** One after the other. */
  record Sequence(RandomRegex first, RandomRegex second) implements RandomRegex {
    @Override
    public BitSet ends(int[] text, BitSet starts) {
      return second.ends(text, first.ends(text, starts));
    }

    @Override
    public String toString() {
      return "" + first + second;
    }
  }

  /** One of two, in a group that {@code opening} opens. */
  record Choice(String opening, RandomRegex first, RandomRegex second) implements RandomRegex {
    @Override
    public BitSet ends(int[] text, BitSet starts) {
      BitSet ends = (BitSet) first.ends(text, starts).clone();
      ends.or(second.ends(text, starts));
      return ends;
    }

    @Override
    public String toString() {
      return opening + first + "|" + second + ")";
    }
  }

  /**
   * {@code min} to {@code max} times, as {@code times} says it; a negative {@code max} is no bound.
   */
  record Repeated(RandomRegex group, int min, int max, String times) implements RandomRegex {
    @Override
    public BitSet ends(int[] text, BitSet starts) {
      BitSet at = starts;
      for (int i = 0; i < min; i++) {
        at = group.ends(text, at);
      }
      BitSet ends = (BitSet) at.clone();
      for (int i = min; max < 0 || i < max; i++) {
        at = group.ends(text, at);
        int before = ends.cardinality();
        ends.or(at);
        if (max < 0 && ends.cardinality() == before) {
          break;
        }
      }
      return ends;
    }

    @Override
    public String toString() {
      String inner = group.toString();
      return (group instanceof Choice ? inner : "(?:" + inner + ")") + times;
    }
  }

  /** An expression that means the same to java.util.regex. */
  static RandomRegex draw(Random random, int depth) {
    return switch (random.nextInt(depth > 3 ? 5 : 10)) {
      case 0 -> Atom.of("" + "abc1é水".charAt(random.nextInt(6)));
      case 1 -> one(random, "[ab]", "[^a]", "[a-c1-3]", "\\d", "\\w", "[^\"\\\\]", "[é-水]");
      case 2 -> Atom.of("\\.");
      case 3 -> one(random, "\\p{L}", "\\P{Lu}", "\\x61", "\\u6c34", "\\n", "[\\w.-]");
      // ECMA's lines end at these four; java.util.regex's at U+0085 too.
      case 4 -> new Atom(".", Pattern.compile("[^\\n\\r\\u2028\\u2029]"));
      case 5, 6 -> new Sequence(draw(random, depth + 1), draw(random, depth + 1));
      case 7 -> new Choice("(", draw(random, depth + 1), draw(random, depth + 1));
      case 8 -> repeated(random, draw(random, depth + 1));
      default -> repeated(random, new Choice("(?:", draw(random, depth + 1), new Empty()));
    };
  }

  private static Atom one(Random random, String... regexes) {
    return Atom.of(regexes[random.nextInt(regexes.length)]);
  }

  private static Repeated repeated(Random random, RandomRegex group) {
    int min = random.nextInt(4);
    int max = min + random.nextInt(4);
    return switch (random.nextInt(6)) {
      case 0 -> new Repeated(group, 0, -1, "*");
      case 1 -> new Repeated(group, 1, -1, "+");
      case 2 -> new Repeated(group, 0, 1, "?");
      case 3 -> new Repeated(group, min, min, "{" + min + "}");
      case 4 -> new Repeated(group, min, -1, "{" + min + ",}");
      default -> new Repeated(group, min, max, "{" + min + "," + max + "}");
    };
  }
}
