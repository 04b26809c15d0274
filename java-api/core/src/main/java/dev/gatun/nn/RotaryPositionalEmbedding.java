package dev.gatun.nn;

import dev.gatun.ops.Rotary;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Tensor;
import java.util.Arrays;

/**
 * Rotary position embedding (arXiv 2104.09864): pairs of a head's first rotary_size elements turn
 * by the angles of {@link RotaryTables}; the elements after them stay. Element i is paired with
 * element {@code i + rotary_size / 2} (half-split), or 2i with 2i + 1 (interleaved).
 */
public final class RotaryPositionalEmbedding implements AutoCloseable {
  private final Tensor cosine;
  private final Tensor sine;
  private final boolean interleaved;

  private RotaryPositionalEmbedding(Tensor cosine, Tensor sine, boolean interleaved) {
    this.cosine = cosine;
    this.sine = sine;
    this.interleaved = interleaved;
  }

  /** The half-split pairing. */
  public RotaryPositionalEmbedding(Device device, RotaryTables tables) {
    this(device, tables, false);
  }

  /**
   * The pairing that the model has.
   *
   * @param device where the tables go
   * @param tables cosines and sines of each position
   * @param interleaved whether neighbours are pairs
   */
  public RotaryPositionalEmbedding(Device device, RotaryTables tables, boolean interleaved) {
    this(
        Tensor.of(device, tables.cosine(), tables.length(), tables.rotarySize() / 2),
        Tensor.of(device, tables.sine(), tables.length(), tables.rotarySize() / 2),
        interleaved);
  }

  /**
   * Tables one after another: position p of the second is row {@code length + p}, length being the
   * first one's.
   */
  public static RotaryPositionalEmbedding of(
      Device device, RotaryTables first, RotaryTables second, boolean interleaved) {
    int half = first.rotarySize() / 2;
    int rows = Math.addExact(first.length(), second.length());
    return new RotaryPositionalEmbedding(
        Tensor.of(device, joined(first.cosine(), second.cosine()), rows, half),
        Tensor.of(device, joined(first.sine(), second.sine()), rows, half),
        interleaved);
  }

  private static float[] joined(float[] a, float[] b) {
    float[] all = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, all, a.length, b.length);
    return all;
  }

  /**
   * Whole heads turning by {@code p base^(-2i / head_size)}.
   *
   * @throws IllegalArgumentException when headSize is odd, maxLength below 1 or base not above 0
   */
  public RotaryPositionalEmbedding(Device device, int headSize, int maxLength, double base) {
    this(device, RotaryTables.of(RotaryScaling.none(base), headSize, maxLength));
  }

  /** Heads that do not turn, as those of models with positions of another kind. */
  public static RotaryPositionalEmbedding none(Device device, int maxLength) {
    return new RotaryPositionalEmbedding(
        Tensor.zeros(device, maxLength, 0), Tensor.zeros(device, maxLength, 0), false);
  }

  /** The cosines [length, rotary_size / 2]; both elements of a pair have the same one. */
  public Tensor cosine() {
    return cosine;
  }

  /** The sines [length, rotary_size / 2]. */
  public Tensor sine() {
    return sine;
  }

  /** Whether neighbours are pairs. */
  public boolean isInterleaved() {
    return interleaved;
  }

  /** x [tokens, heads, head_size] turned by the positions [tokens]. */
  public Tensor forward(Tensor x, Ids positions) {
    return Rotary.rotaryEmbedding(x, cosine, sine, positions, interleaved);
  }

  @Override
  public void close() {
    cosine.close();
    sine.close();
  }
}
