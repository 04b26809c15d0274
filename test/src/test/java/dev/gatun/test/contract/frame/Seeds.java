package dev.gatun.test.contract.frame;

import java.util.Random;

/** Generators of random numbers for seeds that follow one another. */
public final class Seeds {
  private Seeds() {}

  /**
   * A generator whose first numbers tell nothing of its neighbours': those of {@code new
   * Random(1)}, {@code new Random(2)} and so on agree in their leading bits.
   */
  public static Random random(long seed) {
    // The finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
    long mixed = (seed + 0x9e3779b97f4a7c15L) * 0xbf58476d1ce4e5b9L;
    mixed = (mixed ^ (mixed >>> 30)) * 0xbf58476d1ce4e5b9L;
    mixed = (mixed ^ (mixed >>> 27)) * 0x94d049bb133111ebL;
    return new Random(mixed ^ (mixed >>> 31));
  }
}
