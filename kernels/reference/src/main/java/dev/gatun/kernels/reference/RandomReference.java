package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.elementwise.RandomDistribution;
import dev.gatun.kernels.api.call.elementwise.RandomNumbers;

/** Random numbers by their places, in double, in which each sum and product is rounded. */
final class RandomReference {
  private static final long ONE = 0x3ff0000000000000L;
  private static final long ROOT_HALF = 0x3fe6a09e667f3bcdL;
  private static final double LN_2 = 0x1.62e42fefa39efp-1;
  private static final double TURN = 0x1.921fb54442d18p2;
  private static final double[] SINE = {
    -1 / 6.0, 1 / 120.0, -1 / 5040.0, 1 / 362880.0,
    -1 / 39916800.0, 1 / 6227020800.0, -1 / 1307674368000.0, 1 / 355687428096000.0
  };
  private static final double[] COSINE = {
    -1 / 2.0, 1 / 24.0, -1 / 720.0, 1 / 40320.0,
    -1 / 3628800.0, 1 / 479001600.0, -1 / 87178291200.0, 1 / 20922789888000.0
  };

  private RandomReference() {}

  static void run(RandomNumbers c) {
    View y = View.of(c.y());
    for (long i = 0; i < c.y().count(); i++) {
      if (c.distribution() == RandomDistribution.UNIFORM) {
        double part = (words(c, i / 4)[(int) (i % 4)] >>> 8) * 0x1p-24;
        y.set(i, (float) (c.first() + ((double) c.second() - c.first()) * part));
      } else {
        y.set(i, (float) (c.first() + c.second() * normal(words(c, i / 2), i % 2 == 0)));
      }
    }
  }

  private static int[] words(RandomNumbers c, long counter) {
    return Philox.words(
        new int[] {
          (int) counter, (int) (counter >>> 32), (int) c.sequence(), (int) (c.sequence() >>> 32)
        },
        c.seed());
  }

  /** One of the two numbers of four words. */
  static double normal(int[] words, boolean first) {
    double radius = Math.sqrt(log(1 - fraction(words[0], words[1])) * -2);
    double turn = fraction(words[2], words[3]);
    return radius * (first ? cosine(turn) : sine(turn));
  }

  private static double fraction(int high, int low) {
    return ((long) (high >>> 6) << 27 | low >>> 5) * 0x1p-53;
  }

  /** The natural logarithm of 2⁻⁵³ to 1. */
  static double log(double u) {
    long biased = (Double.doubleToLongBits(u) + (ONE - ROOT_HALF)) >>> 52;
    double m = Double.longBitsToDouble(Double.doubleToLongBits(u) + ONE - (biased << 52));
    double s = (m - 1) / (m + 1);
    double z = s * s;
    double p = 2 / 21.0;
    for (int n = 19; n >= 3; n -= 2) {
      p = p * z + 2.0 / n;
    }
    return (biased - 1023) * LN_2 + ((s + s) + s * z * p);
  }

  /** The cosine of a part of a turn from 0 to 1. */
  static double cosine(double turn) {
    long quarter = (long) Math.rint(turn * 4);
    double cosine = of(turn, quarter, quarter % 2 != 0);
    return (quarter + 1 & 2) == 0 ? cosine : -cosine;
  }

  /** The sine of one. */
  static double sine(double turn) {
    long quarter = (long) Math.rint(turn * 4);
    double sine = of(turn, quarter, quarter % 2 == 0);
    return (quarter & 2) == 0 ? sine : -sine;
  }

  private static double of(double turn, long quarter, boolean sine) {
    double x = (turn - quarter * 0.25) * TURN;
    double z = x * x;
    return sine ? x + x * z * series(z, SINE) : 1 + z * series(z, COSINE);
  }

  private static double series(double x, double... c) {
    double p = c[c.length - 1];
    for (int i = c.length - 2; i >= 0; i--) {
      p = p * x + c[i];
    }
    return p;
  }
}
