package dev.gatun.djl;

import dev.gatun.djl.host.ArrayKernels;
import dev.gatun.djl.host.Strided;
import dev.gatun.kernels.api.call.elementwise.RandomDistribution;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Where random arrays come from: Philox4x32-10 (Salmon et al., SC 2011) of the engine's seed and a
 * count of what was drawn, so that the same calls after the same seed give the same numbers.
 */
final class Randoms {
  private static final int ROUNDS = 10;
  private static final long KEY = ThreadLocalRandom.current().nextLong();

  private static volatile long seed = KEY;
  private static final AtomicLong DRAWN = new AtomicLong();

  private Randoms() {}

  static void seed(long value) {
    seed = value;
    DRAWN.set(0);
  }

  /** Draws for one array: a generator of its own, whatever other threads draw. */
  static Draw draw() {
    return new Draw(seed, DRAWN.getAndIncrement());
  }

  /** The numbers of one array, in order. */
  static final class Draw {
    private final long key;
    private final long array;
    private final int[] block = new int[4];
    private long blocks;
    private int used = 4;
    private double spare = Double.NaN;

    private Draw(long key, long array) {
      this.key = key;
      this.array = array;
    }

    /** FLOAT32 by the kernel that draws them: {@link #uniform()} and {@link #normal()} in order. */
    void fill(RandomDistribution distribution, float first, float second, Strided y) {
      ArrayKernels.host().random(distribution, first, second, key, array, y);
    }

    private int nextInt() {
      if (used == 4) {
        next();
        used = 0;
      }
      return block[used++];
    }

    private void next() {
      int c0 = (int) blocks;
      int c1 = (int) (blocks >>> 32);
      int c2 = (int) array;
      int c3 = (int) (array >>> 32);
      int k0 = (int) key;
      int k1 = (int) (key >>> 32);
      for (int round = 0; round < ROUNDS; round++) {
        long p0 = 0xD2511F53L * (c0 & 0xffffffffL);
        long p1 = 0xCD9E8D57L * (c2 & 0xffffffffL);
        c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
        c1 = (int) p1;
        c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
        c3 = (int) p0;
        k0 += 0x9E3779B9;
        k1 += 0xBB67AE85;
      }
      block[0] = c0;
      block[1] = c1;
      block[2] = c2;
      block[3] = c3;
      blocks++;
    }

    /** From 0 to below 1, in steps of 2⁻²⁴, which F32 holds. */
    double uniform() {
      return (nextInt() >>> 8) * 0x1p-24;
    }

    /** In steps of 2⁻⁵³. */
    double wideUniform() {
      return ((long) (nextInt() >>> 6) << 27 | nextInt() >>> 5) * 0x1p-53;
    }

    /** Of mean 0 and deviation 1 (Box and Muller, 1958). */
    double normal() {
      if (!Double.isNaN(spare)) {
        double value = spare;
        spare = Double.NaN;
        return value;
      }
      double radius = Math.sqrt(-2 * Math.log(1 - wideUniform()));
      double angle = 2 * Math.PI * wideUniform();
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    }

    /** From 0 to below a bound. */
    long below(long bound) {
      return bound <= 1 ? 0 : (long) (wideUniform() * bound);
    }

    /** From 0 to below an unsigned bound. */
    long belowUnsigned(long bound) {
      long mask = -1L >>> Long.numberOfLeadingZeros(bound - 1);
      long number;
      do {
        number = ((long) nextInt() << 32 | nextInt() & 0xffffffffL) & mask;
      } while (Long.compareUnsigned(number, bound) >= 0);
      return number;
    }

    /** By a shape alpha (Marsaglia and Tsang, 2000), of scale 1. */
    double gamma(double alpha) {
      if (alpha < 1) {
        return gamma(alpha + 1) * Math.pow(1 - wideUniform(), 1 / alpha);
      }
      double d = alpha - 1.0 / 3;
      double c = 1 / Math.sqrt(9 * d);
      while (true) {
        double x = normal();
        double v = 1 + c * x;
        if (v > 0) {
          v = v * v * v;
          if (Math.log(1 - wideUniform()) < 0.5 * x * x + d - d * v + d * Math.log(v)) {
            return d * v;
          }
        }
      }
    }

    /** How many arrivals, of a mean (Knuth's product, in parts where it is large). */
    long poisson(double mean) {
      long count = 0;
      double left = mean;
      while (left > 0) {
        double part = Math.min(left, 500);
        double limit = Math.exp(-part);
        double product = 1 - wideUniform();
        while (product > limit) {
          count++;
          product *= 1 - wideUniform();
        }
        left -= part;
      }
      return count;
    }
  }
}
