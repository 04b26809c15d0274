package dev.gatun.bench.gpu;

import java.util.Random;
import java.util.stream.LongStream;

/** Compares some of a call's results with what the host computes of the same operands. */
final class Check {
  private double worst;
  private String wrong;
  private long count;

  /**
   * Places along an axis: the first, the last and random ones between, in order.
   *
   * @param most how many
   */
  static long[] places(long length, int most) {
    if (length <= most) {
      return LongStream.range(0, length).toArray();
    }
    return LongStream.concat(
            LongStream.of(0, length - 1), new Random(length).longs(most - 2L, 1, length - 1))
        .distinct()
        .sorted()
        .toArray();
  }

  /**
   * Adds a result.
   *
   * @param got what the device wrote; NaN, which outputs begin as, is never right
   * @param allowed how far it may be from what is wanted
   */
  void add(String output, long row, long column, double got, double wanted, double allowed) {
    count++;
    double share = Double.isNaN(got) ? Double.POSITIVE_INFINITY : Math.abs(got - wanted) / allowed;
    if (share > worst) {
      worst = share;
      wrong =
          "%s[%d, %d] is %s, expected %s within %.3g"
              .formatted(output, row, column, (float) got, (float) wanted, allowed);
    }
  }

  /** The largest error as a share of what it may be. */
  double worst() {
    return worst;
  }

  boolean isRight() {
    return count > 0 && worst <= 1;
  }

  /** The worst result, in words. */
  String worstResult() {
    return count == 0 ? "no result was compared" : wrong;
  }
}
