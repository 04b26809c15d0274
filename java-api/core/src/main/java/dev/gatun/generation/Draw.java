package dev.gatun.generation;

import dev.gatun.kernels.api.call.reduction.Sample;

/**
 * How a device chooses a token, for settings that need nothing but its logits: the numbers of
 * {@link Sample}.
 *
 * @param temperature 0 for the most likely token
 * @param topK 0 for all
 * @param left the share of the probability that top-p leaves out, an unsigned number of 2^-64
 * @param least the least weight, of {@link Sample#ONE} for the most likely token
 * @param random what is drawn, an unsigned number of 2^-64
 */
record Draw(float temperature, long topK, long left, long least, long random) {
  /** The most likely token. */
  static final Draw GREEDY = new Draw(0, 0, 0, 0, 0);

  /** No token: the log-probabilities of all are wanted. */
  static final Draw NONE = new Draw(-1, 0, 0, 0, 0);

  /** The share that is left out where the most likely tokens are to reach p. */
  static long left(double p) {
    return (long) ((1 - p) * 0x1p63) << 1;
  }

  /** The least weight of tokens with p times the highest probability. */
  static long least(double p) {
    return (long) Math.ceil(p * Sample.ONE);
  }

  /** The same for another position. */
  Draw at(long drawn) {
    return new Draw(temperature, topK, left, least, drawn);
  }
}
