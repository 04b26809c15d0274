package dev.gatun.generation.constraint;

import static dev.gatun.generation.constraint.Expression.EMPTY;
import static dev.gatun.generation.constraint.Expression.NEVER;
import static dev.gatun.generation.constraint.Expression.choice;
import static dev.gatun.generation.constraint.Expression.optional;
import static dev.gatun.generation.constraint.Expression.repeat;
import static dev.gatun.generation.constraint.Expression.sequence;
import static dev.gatun.generation.constraint.Expression.set;
import static dev.gatun.generation.constraint.Expression.text;

import dev.gatun.generation.constraint.Expression.Rule;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;

/** Decimal numbers within bounds, as text: without an exponent, and digits to a limit. */
final class NumberText {
  private static final int MOST_DIGITS = 19;
  private static final BigInteger BEYOND = BigInteger.TEN.pow(MOST_DIGITS);
  private static final Expression DIGIT = digits('0', '9');

  private NumberText() {}

  private static Expression digits(int first, int last) {
    return set(CodePoints.range(first, last));
  }

  /**
   * Integers.
   *
   * @param least null for no bound
   * @param most null for no bound
   */
  static Expression integers(BigInteger least, BigInteger most) {
    List<Expression> options = new ArrayList<>();
    if (most == null || most.signum() >= 0) {
      BigInteger from = least == null ? BigInteger.ZERO : least.max(BigInteger.ZERO);
      options.add(naturals(from, most == null ? beyond(from) : most));
    }
    if (least == null || least.signum() < 0) {
      BigInteger from = most == null ? BigInteger.ONE : most.negate().max(BigInteger.ONE);
      BigInteger to = least == null ? beyond(from) : least.negate();
      options.add(sequence(text("-"), naturals(from, to)));
    }
    return choice(options);
  }

  /** The largest number that has no more digits than others, or than what it is above. */
  private static BigInteger beyond(BigInteger from) {
    BigInteger most = BEYOND;
    while (most.compareTo(from) <= 0) {
      most = most.multiply(BigInteger.TEN);
    }
    return most.subtract(BigInteger.ONE);
  }

  private static Expression naturals(BigInteger from, BigInteger to) {
    if (from.compareTo(to) > 0) {
      return NEVER;
    }
    String low = from.toString();
    String high = to.toString();
    List<Expression> options = new ArrayList<>();
    for (int length = low.length(); length <= high.length(); length++) {
      String first = length == low.length() ? low : "1" + "0".repeat(length - 1);
      String last = length == high.length() ? high : "9".repeat(length);
      options.add(between(first, last));
    }
    return choice(options);
  }

  /** Numbers of as many digits as both bounds have. */
  private static Expression between(String low, String high) {
    if (low.isEmpty()) {
      return EMPTY;
    }
    int rest = low.length() - 1;
    char a = low.charAt(0);
    char b = high.charAt(0);
    if (a == b) {
      return sequence(text(low.substring(0, 1)), between(low.substring(1), high.substring(1)));
    }
    List<Expression> options = new ArrayList<>();
    boolean fromZero = low.substring(1).chars().allMatch(c -> c == '0');
    boolean toNine = high.substring(1).chars().allMatch(c -> c == '9');
    if (!fromZero) {
      options.add(sequence(digits(a, a), between(low.substring(1), "9".repeat(rest))));
    }
    int first = fromZero ? a : a + 1;
    int last = toNine ? b : b - 1;
    if (first <= last) {
      options.add(sequence(digits(first, last), repeat(DIGIT, rest, rest)));
    }
    if (!toNine) {
      options.add(sequence(digits(b, b), between("0".repeat(rest), high.substring(1))));
    }
    return choice(options);
  }

  /** Numbers with a fraction or without. */
  static Expression decimals(Schema schema, int places) {
    List<Expression> options = new ArrayList<>();
    BigDecimal low = schema.least;
    BigDecimal high = schema.most;
    if (low != null && high != null && low.compareTo(high) > 0) {
      return NEVER;
    }
    if (high == null || high.signum() > 0 || high.signum() == 0 && !schema.mostExcluded) {
      boolean positive = low == null || low.signum() < 0;
      Bound from = positive ? Bound.ZERO : new Bound(low, schema.leastExcluded);
      options.add(from(from, high == null ? null : new Bound(high, schema.mostExcluded), places));
    }
    if (low == null || low.signum() < 0) {
      boolean negative = high != null && high.signum() <= 0;
      Bound from = negative ? new Bound(high.negate(), schema.mostExcluded) : Bound.ZERO;
      Bound to = low == null ? null : new Bound(low.negate(), schema.leastExcluded);
      options.add(sequence(text("-"), from(from, to, places)));
    }
    return choice(options);
  }

  private record Bound(BigDecimal value, boolean excluded) {
    static final Bound ZERO = new Bound(BigDecimal.ZERO, false);

    BigInteger whole() {
      return value.setScale(0, RoundingMode.FLOOR).unscaledValue();
    }

    /** The digits behind the point, without zeros at the end. */
    Fraction fraction() {
      BigDecimal fraction = value.subtract(new BigDecimal(whole())).stripTrailingZeros();
      String digits = fraction.signum() == 0 ? "" : fraction.toPlainString().substring(2);
      return new Fraction(digits, excluded);
    }
  }

  private static Expression from(Bound low, Bound high, int places) {
    BigInteger first = low.whole();
    BigInteger last = high == null ? beyond(first) : high.whole();
    if (first.equals(last) && high != null) {
      return sequence(text(first.toString()), behindPoint(low.fraction(), high.fraction(), places));
    }
    List<Expression> options = new ArrayList<>();
    options.add(sequence(text(first.toString()), behindPoint(low.fraction(), null, places)));
    BigInteger inner = high == null ? last : last.subtract(BigInteger.ONE);
    options.add(
        sequence(naturals(first.add(BigInteger.ONE), inner), behindPoint(null, null, places)));
    if (high != null && first.compareTo(last) < 0) {
      options.add(sequence(text(last.toString()), behindPoint(null, high.fraction(), places)));
    }
    return choice(options);
  }

  /**
   * A bound behind the point.
   *
   * @param digits those that are left of it
   * @param excluded whether the bound itself is
   */
  private record Fraction(String digits, boolean excluded) {
    int first() {
      return digits.isEmpty() ? 0 : digits.charAt(0) - '0';
    }

    Fraction rest() {
      return digits.isEmpty() ? this : new Fraction(digits.substring(1), excluded);
    }

    boolean isZero() {
      return digits.isEmpty();
    }
  }

  /** A point and digits, or neither. */
  private static Expression behindPoint(Fraction low, Fraction high, int places) {
    List<Expression> options = new ArrayList<>();
    if (mayEnd(low, high)) {
      options.add(EMPTY);
    }
    Expression digits = more(low, high, places);
    if (!digits.equals(NEVER)) {
      options.add(sequence(text("."), digits));
    }
    return choice(options);
  }

  private static boolean mayEnd(Fraction low, Fraction high) {
    return (low == null || low.isZero() && !low.excluded)
        && (high == null || !high.isZero() || !high.excluded);
  }

  /** One digit or more. */
  private static Expression more(Fraction low, Fraction high, int places) {
    if (places == 0 || high != null && high.isZero() && high.excluded) {
      return NEVER;
    }
    if (low == null && high == null) {
      return repeat(DIGIT, 1, places);
    }
    List<Expression> options = new ArrayList<>();
    int least = low == null ? 0 : low.first();
    int most = high == null ? 9 : high.first();
    for (int digit = least; digit <= most; digit++) {
      Fraction lowRest = low == null || digit > least ? null : low.rest();
      if (lowRest != null && lowRest.isZero() && !lowRest.excluded) {
        lowRest = null;
      }
      Fraction highRest = high == null || digit < most ? null : high.rest();
      int last = digit;
      // Digits that are within the bounds whatever follows go together.
      if (lowRest == null && highRest == null) {
        last = high == null ? 9 : Math.max(digit, most - 1);
      }
      List<Expression> ends = new ArrayList<>();
      if (mayEnd(lowRest, highRest)) {
        ends.add(EMPTY);
      }
      Expression further = more(lowRest, highRest, places - 1);
      if (!further.equals(NEVER)) {
        ends.add(further);
      }
      if (!ends.isEmpty()) {
        options.add(sequence(digits('0' + digit, '0' + last), choice(ends)));
      }
      digit = last;
    }
    return choice(options);
  }

  /**
   * The multiples of a number that has so many digits behind the point: a sign, digits, and as many
   * behind the point as are needed or more, up to {@code places}.
   *
   * @param of the number times ten to the power of {@code places}
   */
  static Expression multiples(int of, int places) {
    Rule[] whole = new Rule[of];
    Rule[][] behind = new Rule[places][of];
    for (int left = 0; left < of; left++) {
      whole[left] = new Rule("multiple");
      for (int i = 0; i < places; i++) {
        behind[i][left] = new Rule("multiple");
      }
    }
    for (int left = 0; left < of; left++) {
      List<Expression> options = further(whole, left);
      if (isMultiple(left, places, of)) {
        options.add(EMPTY);
      }
      if (places > 0) {
        options.add(sequence(text("."), choice(further(behind[places - 1], left))));
      }
      whole[left].define(choice(options));
      for (int i = 0; i < places; i++) {
        List<Expression> ends = i > 0 ? further(behind[i - 1], left) : new ArrayList<>();
        if (isMultiple(left, i, of)) {
          ends.add(EMPTY);
        }
        behind[i][left].define(choice(ends));
      }
    }
    return sequence(optional(text("-")), whole[0]);
  }

  /** Whether what leaves {@code left} is a multiple when {@code zeros} follow. */
  private static boolean isMultiple(int left, int zeros, int of) {
    return BigInteger.TEN
            .pow(zeros)
            .multiply(BigInteger.valueOf(left))
            .mod(BigInteger.valueOf(of))
            .signum()
        == 0;
  }

  /** One more digit, and the rule of what it leaves. */
  private static List<Expression> further(Rule[] rules, int left) {
    List<Expression> options = new ArrayList<>();
    for (int digit = 0; digit <= 9; digit++) {
      options.add(
          sequence(digits('0' + digit, '0' + digit), rules[(10 * left + digit) % rules.length]));
    }
    return options;
  }
}
