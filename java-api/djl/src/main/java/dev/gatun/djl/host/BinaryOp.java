package dev.gatun.djl.host;

import java.util.function.DoubleBinaryOperator;
import java.util.function.LongBinaryOperator;

/** What is made of two elements, by PyTorch's rules. */
public enum BinaryOp {
  /** a + b. */
  ADD((a, b) -> a + b, (a, b) -> a + b),
  /** a - b. */
  SUB((a, b) -> a - b, (a, b) -> a - b),
  /** a b. */
  MUL((a, b) -> a * b, (a, b) -> a * b),
  /** a / b, never whole. */
  DIV((a, b) -> a / b, null),
  /** What is left of a after whole b, with b's sign. */
  MOD(BinaryOp::remainder, BinaryOp::remainder),
  /** a to the power of b. */
  POW(Math::pow, BinaryOp::power),
  /** The larger; NaN where either is. */
  MAXIMUM(Math::max, Math::max),
  /** The smaller; NaN where either is. */
  MINIMUM(Math::min, Math::min),
  /** The angle of the point (b, a). */
  ATAN2(Math::atan2, null),
  /** a log b, and 0 where a is 0 and b is a number. */
  XLOGY((a, b) -> Double.isNaN(b) ? b : a == 0 ? 0 : a * Math.log(b), null),
  /** Whether they are equal. */
  EQ((a, b) -> a == b ? 1 : 0, (a, b) -> a == b ? 1 : 0, true),
  /** Whether they differ. */
  NEQ((a, b) -> a != b ? 1 : 0, (a, b) -> a != b ? 1 : 0, true),
  /** Whether a is greater. */
  GT((a, b) -> a > b ? 1 : 0, (a, b) -> a > b ? 1 : 0, true),
  /** Whether a is not less. */
  GTE((a, b) -> a >= b ? 1 : 0, (a, b) -> a >= b ? 1 : 0, true),
  /** Whether a is less. */
  LT((a, b) -> a < b ? 1 : 0, (a, b) -> a < b ? 1 : 0, true),
  /** Whether a is not greater. */
  LTE((a, b) -> a <= b ? 1 : 0, (a, b) -> a <= b ? 1 : 0, true),
  /** Whether neither is 0. */
  AND((a, b) -> a != 0 && b != 0 ? 1 : 0, (a, b) -> a != 0 && b != 0 ? 1 : 0, true),
  /** Whether not both are 0. */
  OR((a, b) -> a != 0 || b != 0 ? 1 : 0, (a, b) -> a != 0 || b != 0 ? 1 : 0, true),
  /** Whether exactly one is 0. */
  XOR((a, b) -> a != 0 ^ b != 0 ? 1 : 0, (a, b) -> a != 0 ^ b != 0 ? 1 : 0, true);

  private final DoubleBinaryOperator ofDoubles;
  private final LongBinaryOperator ofLongs;
  private final boolean tells;

  BinaryOp(DoubleBinaryOperator ofDoubles, LongBinaryOperator ofLongs) {
    this(ofDoubles, ofLongs, false);
  }

  BinaryOp(DoubleBinaryOperator ofDoubles, LongBinaryOperator ofLongs, boolean tells) {
    this.ofDoubles = ofDoubles;
    this.ofLongs = ofLongs;
    this.tells = tells;
  }

  private static double remainder(double a, double b) {
    double left = a % b;
    return left != 0 && (left < 0) != (b < 0) ? left + b : left;
  }

  private static long remainder(long a, long b) {
    if (b == 0) {
      throw Refusal.wrong("mod: a whole number by 0");
    }
    return Math.floorMod(a, b);
  }

  private static long power(long base, long exponent) {
    if (exponent < 0) {
      return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
    }
    long result = 1;
    long square = base;
    for (long left = exponent; left > 0; left >>= 1) {
      if ((left & 1) == 1) {
        result *= square;
      }
      square *= square;
    }
    return result;
  }

  DoubleBinaryOperator ofDoubles() {
    return ofDoubles;
  }

  LongBinaryOperator ofLongs() {
    return ofLongs;
  }

  /** Whether results are whole where elements are. */
  public boolean keepsWhole() {
    return ofLongs != null;
  }

  /** Whether results are booleans. */
  public boolean tells() {
    return tells;
  }
}
