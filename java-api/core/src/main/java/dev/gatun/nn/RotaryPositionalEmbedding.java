package dev.gatun.nn;

import dev.gatun.ops.Ops;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;

/**
 * Rotary position embedding (arXiv 2104.09864) with the half-split pairing: element i of a head
 * turns with element {@code i + head_size / 2} by the angle {@code p base^(-2i / head_size)}.
 */
public final class RotaryPositionalEmbedding implements AutoCloseable {
  private final Tensor cosine;
  private final Tensor sine;

  public RotaryPositionalEmbedding(Device device, int headSize, int maxLength, double base) {
    if (headSize < 2
        || headSize % 2 != 0
        || maxLength < 1
        || (long) headSize / 2 * maxLength > Integer.MAX_VALUE - 8
        || !(base > 0)) {
      throw new IllegalArgumentException(
          "rotary_embedding: head_size %d, max_length %d and base %s, expected an even and two"
                  .formatted(headSize, maxLength, base)
              + " positive numbers, and fewer than 2^31 angles");
    }
    int half = headSize / 2;
    float[] cos = new float[half * maxLength];
    float[] sin = new float[cos.length];
    for (int i = 0; i < half; i++) {
      float frequency = 1 / (float) Math.pow(base, (float) (2 * i) / headSize);
      for (int p = 0; p < maxLength; p++) {
        float angle = p * frequency;
        cos[p * half + i] = (float) Math.cos(angle);
        sin[p * half + i] = (float) Math.sin(angle);
      }
    }
    cosine = Tensor.of(device, cos, maxLength, half);
    sine = Tensor.of(device, sin, maxLength, half);
  }

  /** The cosines [max_length, head_size / 2]; the other half of a head has the same ones. */
  public Tensor cosine() {
    return cosine;
  }

  /** The sines [max_length, head_size / 2]. */
  public Tensor sine() {
    return sine;
  }

  /** x [tokens, heads, head_size] turned by the positions [tokens]. */
  public Tensor forward(Tensor x, Tensor positions) {
    return Ops.rotary(x, cosine, sine, positions, false);
  }

  @Override
  public void close() {
    cosine.close();
    sine.close();
  }
}
