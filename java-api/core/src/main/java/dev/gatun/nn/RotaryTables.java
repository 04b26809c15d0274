package dev.gatun.nn;

/**
 * The cosines and sines of rotary position embedding (arXiv 2104.09864) for positions from 0 on:
 * pair i at position p turns by the angle {@code p inverse_frequency[i]}, and both are multiplied
 * by the attention factor. The formulas are those of transformers' {@code modeling_rope_utils}.
 *
 * <p>With the types dynamic and longrope the frequencies depend on the length of the whole
 * sequence, so that tables of another length may differ at the same positions.
 */
public final class RotaryTables {
  private final int length;
  private final float[] inverseFrequencies;
  private final double attentionFactor;

  private RotaryTables(int length, float[] inverseFrequencies, double attentionFactor) {
    this.length = length;
    this.inverseFrequencies = inverseFrequencies;
    this.attentionFactor = attentionFactor;
  }

  /**
   * {@return the tables of a head}
   *
   * @param scaling the model's rotary settings
   * @param headSize the size of a head, of which the first {@code (int) (headSize *
   *     partial_rotary_factor)} elements, the rotary size, turn
   * @param length the number of positions
   * @throws IllegalArgumentException when the rotary size is odd or 0, the length is below 1, or
   *     the settings do not fit the rotary size
   */
  public static RotaryTables of(RotaryScaling scaling, int headSize, int length) {
    int rotary = (int) (headSize * scaling.partialRotaryFactor());
    if (rotary < 2 || rotary % 2 != 0) {
      throw new IllegalArgumentException(
          "rotary: head_size %d and 'partial_rotary_factor' %s give the rotary size %d"
                  .formatted(headSize, scaling.partialRotaryFactor(), rotary)
              + ", expected an even number from 2");
    }
    if (length < 1 || (long) rotary / 2 * length > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "rotary: length %d and rotary size %d, expected a length from 1 and fewer than 2^31 angles"
              .formatted(length, rotary));
    }
    return new RotaryTables(
        length, scaling.inverseFrequencies(rotary, length), scaling.attentionFactor());
  }

  /** {@return the number of positions} */
  public int length() {
    return length;
  }

  /** {@return the number of elements of a head that turn} */
  public int rotarySize() {
    return 2 * inverseFrequencies.length;
  }

  /**
   * {@return the angle in radians by which each pair turns from one position to the next,
   * [rotary_size / 2], in a new array}
   */
  public float[] inverseFrequencies() {
    return inverseFrequencies.clone();
  }

  /** {@return what the cosines and sines are multiplied by; 1 where the type has no such factor} */
  public double attentionFactor() {
    return attentionFactor;
  }

  /**
   * {@return the cosines [length, rotary_size / 2] times the attention factor, row-major in a new
   * array}
   */
  public float[] cosine() {
    return table(false);
  }

  /**
   * {@return the sines [length, rotary_size / 2] times the attention factor, row-major in a new
   * array}
   */
  public float[] sine() {
    return table(true);
  }

  private float[] table(boolean sine) {
    int half = inverseFrequencies.length;
    float[] table = new float[length * half];
    for (int p = 0; p < length; p++) {
      for (int i = 0; i < half; i++) {
        float angle = p * inverseFrequencies[i];
        float value = (float) (sine ? Math.sin(angle) : Math.cos(angle));
        table[p * half + i] = value * (float) attentionFactor;
      }
    }
    return table;
  }
}
