package dev.gatun.nn;

import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;

/**
 * The sinusoidal positions of "Attention Is All You Need" (arXiv 1706.03762, section 3.5): {@code
 * PE[p, 2i] = sin(p / 10000^(2i / d))}, {@code PE[p, 2i + 1] = cos(p / 10000^(2i / d))}.
 */
public final class PositionalEncoding implements AutoCloseable {
  private final Tensor table;

  /**
   * A table for positions below a length.
   *
   * @param device where it is
   * @param dModel the features, an even number
   * @param maxLength how many positions it has
   * @throws IllegalArgumentException if a number does not fit
   */
  public PositionalEncoding(Device device, int dModel, int maxLength) {
    if (dModel < 2
        || dModel % 2 != 0
        || maxLength < 1
        || (long) dModel * maxLength > Integer.MAX_VALUE - 8) {
      throw new IllegalArgumentException(
          "positional_encoding: d_model %d and max_length %d, expected an even and a positive number"
                  .formatted(dModel, maxLength)
              + " with a product below 2^31");
    }
    float[] values = new float[dModel * maxLength];
    for (int i = 0; i < dModel / 2; i++) {
      // The angle is rounded to float as the published tables are, which at large positions shows.
      float frequency = (float) Math.exp((float) (2 * i) * (float) -(Math.log(10000.0) / dModel));
      for (int p = 0; p < maxLength; p++) {
        float angle = p * frequency;
        values[p * dModel + 2 * i] = (float) Math.sin(angle);
        values[p * dModel + 2 * i + 1] = (float) Math.cos(angle);
      }
    }
    table = Tensor.of(device, values, maxLength, dModel);
  }

  /** {@return the table F32 [max_length, d_model], which stays this one's} */
  public Tensor table() {
    return table;
  }

  /**
   * {@return a new tensor: x with the positions from 0 on added}
   *
   * @param x [batch, length, d_model], length up to max_length
   * @throws IllegalArgumentException for another shape
   */
  public Tensor forward(Tensor x) {
    if (x.rank() != 3 || x.size(2) != table.size(1) || x.size(1) > table.size(0)) {
      throw new IllegalArgumentException(
          "positional_encoding: x is %s, expected [batch, up to %d, %d]"
              .formatted(x, table.size(0), table.size(1)));
    }
    return Elementwise.add(x, table.slice(0, 0, x.size(1)));
  }

  @Override
  public void close() {
    table.close();
  }
}
