package dev.gatun.djl.host;

import java.util.function.DoubleBinaryOperator;
import java.util.function.LongBinaryOperator;

/** What is made of two elements, by PyTorch's rules. */
public enum BinaryOp {
  /** a + b. */
  ADD,
  /** a - b. */
  SUB,
  /** a b. */
  MUL,
  /** a / b, never whole. */
  DIV,
  /** What is left of a after whole b, with b's sign. */
  MOD,
  /** a to the power of b. */
  POW,
  /** The larger; NaN where either is. */
  MAXIMUM,
  /** The smaller; NaN where either is. */
  MINIMUM,
  /** The angle of the point (b, a). */
  ATAN2,
  /** a log b, and 0 where a is 0 and b is a number. */
  XLOGY,
  /** Whether they are equal. */
  EQ,
  /** Whether they differ. */
  NEQ,
  /** Whether a is greater. */
  GT,
  /** Whether a is not less. */
  GTE,
  /** Whether a is less. */
  LT,
  /** Whether a is not greater. */
  LTE,
  /** Whether neither is 0. */
  AND,
  /** Whether not both are 0. */
  OR,
  /** Whether exactly one is 0. */
  XOR;

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

  /** As C has it: a power of 1, and an infinite one of -1, is 1. */
  static double power(double base, double exponent) {
    return base == 1 || base == -1 && Double.isInfinite(exponent) ? 1 : Math.pow(base, exponent);
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

  /** Of floating-point numbers; found when it is asked for: a start needs few. */
  DoubleBinaryOperator ofDoubles() {
    return switch (this) {
      case ADD -> (a, b) -> a + b;
      case SUB -> (a, b) -> a - b;
      case MUL -> (a, b) -> a * b;
      case DIV -> (a, b) -> a / b;
      case MOD -> BinaryOp::remainder;
      case POW -> BinaryOp::power;
      case MAXIMUM -> Math::max;
      case MINIMUM -> Math::min;
      case ATAN2 -> Math::atan2;
      case XLOGY -> (a, b) -> Double.isNaN(b) ? b : a == 0 ? 0 : a * Math.log(b);
      case EQ -> (a, b) -> a == b ? 1 : 0;
      case NEQ -> (a, b) -> a != b ? 1 : 0;
      case GT -> (a, b) -> a > b ? 1 : 0;
      case GTE -> (a, b) -> a >= b ? 1 : 0;
      case LT -> (a, b) -> a < b ? 1 : 0;
      case LTE -> (a, b) -> a <= b ? 1 : 0;
      case AND -> (a, b) -> a != 0 && b != 0 ? 1 : 0;
      case OR -> (a, b) -> a != 0 || b != 0 ? 1 : 0;
      case XOR -> (a, b) -> a != 0 ^ b != 0 ? 1 : 0;
    };
  }

  /** Of whole numbers; null where there is none. */
  LongBinaryOperator ofLongs() {
    return switch (this) {
      case ADD -> (a, b) -> a + b;
      case SUB -> (a, b) -> a - b;
      case MUL -> (a, b) -> a * b;
      case MOD -> BinaryOp::remainder;
      case POW -> BinaryOp::power;
      case MAXIMUM -> Math::max;
      case MINIMUM -> Math::min;
      case EQ -> (a, b) -> a == b ? 1 : 0;
      case NEQ -> (a, b) -> a != b ? 1 : 0;
      case GT -> (a, b) -> a > b ? 1 : 0;
      case GTE -> (a, b) -> a >= b ? 1 : 0;
      case LT -> (a, b) -> a < b ? 1 : 0;
      case LTE -> (a, b) -> a <= b ? 1 : 0;
      case AND -> (a, b) -> a != 0 && b != 0 ? 1 : 0;
      case OR -> (a, b) -> a != 0 || b != 0 ? 1 : 0;
      case XOR -> (a, b) -> a != 0 ^ b != 0 ? 1 : 0;
      case DIV, ATAN2, XLOGY -> null;
    };
  }

  /** Whether results are whole where elements are. */
  public boolean keepsWhole() {
    return this != DIV && this != ATAN2 && this != XLOGY;
  }

  /** Whether results are booleans. */
  public boolean tells() {
    return switch (this) {
      case EQ, NEQ, GT, GTE, LT, LTE, AND, OR, XOR -> true;
      default -> false;
    };
  }
}
