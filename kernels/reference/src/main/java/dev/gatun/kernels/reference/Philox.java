package dev.gatun.kernels.reference;

/** Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). */
final class Philox {
  private static final int ROUNDS = 10;

  private Philox() {}

  /**
   * The four words that a counter of four words gives.
   *
   * @param counter four words
   * @param key two words, the low one first
   */
  static int[] words(int[] counter, long key) {
    int[] c = counter.clone();
    int k0 = (int) key;
    int k1 = (int) (key >>> 32);
    for (int round = 0; round < ROUNDS; round++) {
      long first = 0xD2511F53L * Integer.toUnsignedLong(c[0]);
      long second = 0xCD9E8D57L * Integer.toUnsignedLong(c[2]);
      c =
          new int[] {
            (int) (second >>> 32) ^ c[1] ^ k0,
            (int) second,
            (int) (first >>> 32) ^ c[3] ^ k1,
            (int) first
          };
      k0 += 0x9E3779B9;
      k1 += 0xBB67AE85;
    }
    return c;
  }
}
