package dev.gatun.nn;

import java.util.Arrays;

/**
 * How a rope type sets the inverse frequencies. Each step is rounded to float as in transformers'
 * {@code modeling_rope_utils}, because a frequency's last bit moves the angles of late positions.
 */
sealed interface RotaryMethod {

  /**
   * The inverse frequencies [rotary / 2].
   *
   * @param theta the base of the powers
   * @param rotary even, at least 2
   * @param length the positions that the tables are for
   * @throws IllegalArgumentException when the settings do not fit the rotary size
   */
  float[] inverseFrequencies(double theta, int rotary, int length);

  /** What cosines and sines are multiplied by. */
  default double attentionFactor() {
    return 1;
  }

  /** {@code theta^(2i / rotary)} for each i below rotary / 2. */
  private static float[] powers(double theta, int rotary) {
    float[] powers = new float[rotary / 2];
    for (int i = 0; i < powers.length; i++) {
      powers[i] = (float) Math.pow(theta, (float) (2 * i) / rotary);
    }
    return powers;
  }

  /** {@code theta^(-2i / rotary) / factor} (linear: arXiv 2306.15595, position interpolation). */
  record Linear(double factor) implements RotaryMethod {
    @Override
    public float[] inverseFrequencies(double theta, int rotary, int length) {
      float[] inverse = powers(theta, rotary);
      for (int i = 0; i < inverse.length; i++) {
        inverse[i] = 1 / inverse[i] / (float) factor;
      }
      return inverse;
    }
  }

  /**
   * Gemma 4's: the powers are those of the whole head, and the pairs beyond a part of it do not
   * turn.
   */
  record Proportional(double factor, double part) implements RotaryMethod {
    @Override
    public float[] inverseFrequencies(double theta, int rotary, int length) {
      float[] inverse = new Linear(factor).inverseFrequencies(theta, rotary, length);
      Arrays.fill(inverse, (int) (part * rotary / 2), inverse.length, 0);
      return inverse;
    }
  }

  /**
   * Dynamic NTK (arXiv 2309.00071, appendix B.2): beyond the longest trained length theta grows by
   * {@code (factor length / longest - factor + 1)^(rotary / (rotary - 2))}.
   */
  record Dynamic(double factor, int longest) implements RotaryMethod {
    @Override
    public float[] inverseFrequencies(double theta, int rotary, int length) {
      if (rotary < 4) {
        throw new IllegalArgumentException(
            "rotary: rope_type dynamic with a rotary size of %d, expected at least 4"
                .formatted(rotary));
      }
      double ratio = (double) Math.max(length, longest) / longest;
      double stretch = Math.pow(factor * ratio - (factor - 1), rotary / (rotary - 2.0));
      return new Linear(1).inverseFrequencies(theta * stretch, rotary, length);
    }
  }

  /**
   * Llama 3.1's: wavelengths above {@code original / low} are divided by the factor, those below
   * {@code original / high} are kept, and between them the two are mixed.
   */
  record Llama3(double factor, double low, double high, int original) implements RotaryMethod {
    @Override
    public float[] inverseFrequencies(double theta, int rotary, int length) {
      float[] inverse = powers(theta, rotary);
      for (int i = 0; i < inverse.length; i++) {
        float kept = 1 / inverse[i];
        float divided = kept / (float) factor;
        float wavelength = (float) (2 * Math.PI) / kept;
        float smooth = (original / wavelength - (float) low) / (float) (high - low);
        if (wavelength > (float) (original / low)) {
          inverse[i] = divided;
        } else if (wavelength < (float) (original / high)) {
          inverse[i] = kept;
        } else {
          inverse[i] = (1 - smooth) * kept / (float) factor + smooth * kept;
        }
      }
      return inverse;
    }
  }

  /**
   * YaRN (arXiv 2309.00071): pairs that turn more than betaFast times within the original length
   * are kept, those that turn less than betaSlow times are divided by the factor, and between them
   * the two are mixed along a ramp over the pairs.
   *
   * @param truncate whether the ends of the ramp are rounded to whole pairs
   */
  record Yarn(
      double factor,
      int original,
      double betaFast,
      double betaSlow,
      boolean truncate,
      double attentionFactor)
      implements RotaryMethod {

    @Override
    public float[] inverseFrequencies(double theta, int rotary, int length) {
      double low = pair(betaFast, theta, rotary);
      double high = pair(betaSlow, theta, rotary);
      if (truncate) {
        low = Math.floor(low);
        high = Math.ceil(high);
      }
      low = Math.max(low, 0);
      high = Math.min(high, rotary - 1);
      if (low == high) {
        // The reference's width of a ramp whose ends meet.
        high += 0.001;
      }
      float[] inverse = powers(theta, rotary);
      for (int i = 0; i < inverse.length; i++) {
        float ramp = (i - (float) low) / (float) (high - low);
        float kept = 1 - Math.clamp(ramp, 0f, 1f);
        float divided = 1 / ((float) factor * inverse[i]);
        inverse[i] = divided * (1 - kept) + 1 / inverse[i] * kept;
      }
      return inverse;
    }

    /** The pair, not a whole one, that turns so often within the original length. */
    private double pair(double turns, double theta, int rotary) {
      return rotary * Math.log(original / (turns * 2 * Math.PI)) / (2 * Math.log(theta));
    }
  }

  /**
   * LongRoPE (arXiv 2402.13753): each pair has a factor of its own, one for lengths up to the
   * original one and another for longer ones.
   */
  record LongRope(float[] shortFactor, float[] longFactor, int original, double attentionFactor)
      implements RotaryMethod {

    @Override
    public float[] inverseFrequencies(double theta, int rotary, int length) {
      fits("short_factor", shortFactor, rotary);
      fits("long_factor", longFactor, rotary);
      float[] factors = length > original ? longFactor : shortFactor;
      float[] inverse = powers(theta, rotary);
      for (int i = 0; i < inverse.length; i++) {
        inverse[i] = 1 / (factors[i] * inverse[i]);
      }
      return inverse;
    }

    private static void fits(String key, float[] factors, int rotary) {
      if (factors.length != rotary / 2) {
        throw new IllegalArgumentException(
            "rotary: '%s' has %d numbers, expected %d, half the rotary size %d"
                .formatted(key, factors.length, rotary / 2, rotary));
      }
    }
  }
}
