package dev.gatun.djl.host;

import java.util.function.DoubleBinaryOperator;
import java.util.function.LongBinaryOperator;

/** What is made of many elements. */
public enum ReduceOp {
  /** Their sum. */
  SUM(0, 0, Double::sum, Long::sum),
  /** Their product. */
  PROD(1, 1, (a, b) -> a * b, (a, b) -> a * b),
  /** The largest; NaN where one is. */
  MAX(Double.NEGATIVE_INFINITY, Long.MIN_VALUE, Math::max, Math::max),
  /** The smallest; NaN where one is. */
  MIN(Double.POSITIVE_INFINITY, Long.MAX_VALUE, Math::min, Math::min);

  private final double first;
  private final long firstLong;
  private final DoubleBinaryOperator ofDoubles;
  private final LongBinaryOperator ofLongs;

  ReduceOp(
      double first, long firstLong, DoubleBinaryOperator ofDoubles, LongBinaryOperator ofLongs) {
    this.first = first;
    this.firstLong = firstLong;
    this.ofDoubles = ofDoubles;
    this.ofLongs = ofLongs;
  }

  double first() {
    return first;
  }

  long firstLong() {
    return firstLong;
  }

  DoubleBinaryOperator ofDoubles() {
    return ofDoubles;
  }

  LongBinaryOperator ofLongs() {
    return ofLongs;
  }

  /** Whether nothing has a result too. */
  public boolean hasNeutral() {
    return this == SUM || this == PROD;
  }
}
