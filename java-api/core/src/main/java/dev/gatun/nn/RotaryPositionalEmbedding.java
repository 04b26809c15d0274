package dev.gatun.nn;

import dev.gatun.ops.Rotary;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Tensor;
import java.util.List;

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

  private RotaryPositionalEmbedding(Device device, boolean interleaved, List<RotaryTables> tables) {
    this(
        RotaryTables.tensor(device, false, tables),
        RotaryTables.tensor(device, true, tables),
        interleaved);
  }

  /**
   * The half-split pairing.
   *
   * @param device where the tables go
   * @param tables cosines and sines of each position
   */
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
    this(device, interleaved, List.of(tables));
  }

  /**
   * {@return tables one after another: position p of the second is row {@code length + p}, length
   * being the first one's}
   *
   * @param device where the tables go
   * @param first for positions from 0
   * @param second of the same rotary size
   * @param interleaved whether neighbours are pairs
   */
  public static RotaryPositionalEmbedding of(
      Device device, RotaryTables first, RotaryTables second, boolean interleaved) {
    return new RotaryPositionalEmbedding(device, interleaved, List.of(first, second));
  }

  /**
   * Whole heads turning by {@code p base^(-2i / head_size)}, half-split.
   *
   * @param device where the tables go
   * @param headSize elements of a head, an even number
   * @param maxLength how many positions there are, from 1
   * @param base of the frequencies, above 0; usually 10000
   * @throws IllegalArgumentException when headSize is odd, maxLength below 1 or base not above 0
   */
  public RotaryPositionalEmbedding(Device device, int headSize, int maxLength, double base) {
    this(device, RotaryTables.of(RotaryScaling.none(base), headSize, maxLength));
  }

  /**
   * {@return heads that do not turn, as those of models with positions of another kind}
   *
   * @param device where the tables, which are empty, go
   * @param maxLength how many positions there are
   */
  public static RotaryPositionalEmbedding none(Device device, int maxLength) {
    return new RotaryPositionalEmbedding(
        Tensor.zeros(device, maxLength, 0), Tensor.zeros(device, maxLength, 0), false);
  }

  /**
   * {@return the cosines F32 [length, rotary_size / 2], which stay this one's; both elements of a
   * pair have the same one}
   */
  public Tensor cosine() {
    return cosine;
  }

  /** {@return the sines F32 [length, rotary_size / 2], which stay this one's} */
  public Tensor sine() {
    return sine;
  }

  /** {@return whether neighbours are pairs, and not elements rotary_size / 2 apart} */
  public boolean isInterleaved() {
    return interleaved;
  }

  /**
   * {@return x turned by its tokens' positions, in a new tensor}
   *
   * @param x F32, BF16 or F16 [tokens, heads, head_size]
   * @param positions [tokens], rows of the tables
   */
  public Tensor forward(Tensor x, Ids positions) {
    return Rotary.rotaryEmbedding(x, cosine, sine, positions, interleaved);
  }

  @Override
  public void close() {
    cosine.close();
    sine.close();
  }
}
