package dev.gatun.models;

/** ALiBi's slopes (Press et al., arXiv 2108.12409). */
final class Alibi {
  private Alibi() {}

  /**
   * A geometric sequence for a power of 2 of heads; others have besides it every second number of
   * the sequence of twice as many.
   */
  static float[] slopes(int heads) {
    float[] slopes = new float[heads];
    int power = Integer.highestOneBit(heads);
    for (int i = 0; i < heads; i++) {
      int exponent = i < power ? 2 * (i + 1) : 2 * (i - power) + 1;
      slopes[i] = (float) Math.pow(2, -4.0 * exponent / power);
    }
    return slopes;
  }
}
