package dev.gatun.nn;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.util.List;

/**
 * The cosines and sines of rotary position embedding (arXiv 2104.09864) for positions from 0 on:
 * pair i at position p turns by the angle {@code p inverse_frequency[i]}, and both are multiplied
 * by the attention factor. The formulas are those of transformers' {@code modeling_rope_utils}.
 *
 * <p>With the types dynamic and longrope the frequencies depend on the length of the whole
 * sequence, so that tables of another length may differ at the same positions.
 */
public final class RotaryTables {
  private static final int PART = 1 << 16;

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
   *     partial_rotary_factor)} elements, the rotary size, turn; all of it with the type
   *     proportional, where pairs beyond the part turn by 0
   * @param length the number of positions
   * @throws IllegalArgumentException when the rotary size is odd or 0, the length is below 1, or
   *     the settings do not fit the rotary size
   */
  public static RotaryTables of(RotaryScaling scaling, int headSize, int length) {
    int rotary = scaling.rotarySize(headSize);
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
    return rows(0, length, sine);
  }

  /** Some positions' cosines or sines. */
  private float[] rows(int from, int to, boolean sine) {
    int half = inverseFrequencies.length;
    float[] rows = new float[(to - from) * half];
    for (int p = from; p < to; p++) {
      for (int i = 0; i < half; i++) {
        float angle = p * inverseFrequencies[i];
        float value = (float) (sine ? Math.sin(angle) : Math.cos(angle));
        rows[(p - from) * half + i] = value * (float) attentionFactor;
      }
    }
    return rows;
  }

  /**
   * Tables one after another, [rows, rotary_size / 2], made in parts that the heap has room for.
   */
  static Tensor tensor(Device device, boolean sine, List<RotaryTables> all) {
    int half = all.getFirst().inverseFrequencies.length;
    long rows = all.stream().mapToLong(RotaryTables::length).sum();
    Tensor tensor = Tensor.empty(device, DType.F32, rows, half);
    int most = Math.max(1, PART / half);
    long at = 0;
    for (RotaryTables tables : all) {
      for (int from = 0; from < tables.length; from += most) {
        int count = Math.min(tables.length - from, most);
        tensor.slice(0, at, at + count).write(tables.rows(from, from + count, sine));
        at += count;
      }
    }
    return tensor;
  }
}
