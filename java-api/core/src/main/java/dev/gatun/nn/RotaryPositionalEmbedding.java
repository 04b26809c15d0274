package dev.gatun.nn;

import dev.gatun.ops.Rotary;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Tensor;

/**
 * Rotary position embedding (arXiv 2104.09864) with the half-split pairing: of a head's first
 * rotary_size elements, element i turns with element {@code i + rotary_size / 2} by the angles of
 * {@link RotaryTables}; the elements after them stay.
 */
public final class RotaryPositionalEmbedding implements AutoCloseable {
  private final Tensor cosine;
  private final Tensor sine;

  public RotaryPositionalEmbedding(Device device, RotaryTables tables) {
    int half = tables.rotarySize() / 2;
    cosine = Tensor.of(device, tables.cosine(), tables.length(), half);
    sine = Tensor.of(device, tables.sine(), tables.length(), half);
  }

  /**
   * Whole heads turning by {@code p base^(-2i / head_size)}.
   *
   * @throws IllegalArgumentException when headSize is odd, maxLength below 1 or base not above 0
   */
  public RotaryPositionalEmbedding(Device device, int headSize, int maxLength, double base) {
    this(device, RotaryTables.of(RotaryScaling.none(base), headSize, maxLength));
  }

  /** The cosines [length, rotary_size / 2]; both elements of a pair have the same one. */
  public Tensor cosine() {
    return cosine;
  }

  /** The sines [length, rotary_size / 2]. */
  public Tensor sine() {
    return sine;
  }

  /** x [tokens, heads, head_size] turned by the positions [tokens]. */
  public Tensor forward(Tensor x, Ids positions) {
    return Rotary.rotaryEmbedding(x, cosine, sine, positions, false);
  }

  @Override
  public void close() {
    cosine.close();
    sine.close();
  }
}
