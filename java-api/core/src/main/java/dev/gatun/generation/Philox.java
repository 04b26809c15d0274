package dev.gatun.generation;

/**
 * Philox4x32-10, random numbers that are a function of a key and a counter (Salmon et al., Parallel
 * random numbers: as easy as 1, 2, 3, 2011). What a position draws depends on the seed and the
 * position alone: not on other sequences of a batch, nor on what was drawn before.
 */
public final class Philox {
  private static final int ROUNDS = 10;
  private static final long MULTIPLIER_0 = 0xD2511F53L;
  private static final long MULTIPLIER_1 = 0xCD9E8D57L;
  private static final int WEYL_0 = 0x9E3779B9;
  private static final int WEYL_1 = 0xBB67AE85;

  private Philox() {}

  /**
   * {@return the four words of a counter, each of 32 random bits}
   *
   * @param key 64 bits that tell streams apart
   * @param low the low half of the counter's 128 bits
   * @param high the high half
   */
  public static int[] words(long key, long low, long high) {
    int k0 = (int) key;
    int k1 = (int) (key >>> 32);
    int c0 = (int) low;
    int c1 = (int) (low >>> 32);
    int c2 = (int) high;
    int c3 = (int) (high >>> 32);
    for (int round = 0; round < ROUNDS; round++) {
      long p0 = MULTIPLIER_0 * Integer.toUnsignedLong(c0);
      long p1 = MULTIPLIER_1 * Integer.toUnsignedLong(c2);
      c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
      c1 = (int) p1;
      c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
      c3 = (int) p0;
      k0 += WEYL_0;
      k1 += WEYL_1;
    }
    return new int[] {c0, c1, c2, c3};
  }

  /**
   * {@return a number of [0, 1) with 53 random bits}
   *
   * @param seed the request's seed
   * @param position the place in the sequence that is drawn for
   * @param draw tells draws of one position apart
   */
  public static double uniform(long seed, long position, long draw) {
    return (bits(seed, position, draw) >>> 11) * 0x1p-53;
  }

  /**
   * {@return 64 random bits, of which {@link #uniform} has the first 53}
   *
   * @param seed the request's seed
   * @param position the place in the sequence that is drawn for
   * @param draw tells draws of one position apart
   */
  public static long bits(long seed, long position, long draw) {
    int[] words = words(seed, position, draw);
    return (long) words[0] << 32 | Integer.toUnsignedLong(words[1]);
  }
}
