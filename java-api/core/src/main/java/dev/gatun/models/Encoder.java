package dev.gatun.models;

import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;

/** What a family of encoders computes, from packed tokens to hidden states and a head's scores. */
interface Encoder {
  /**
   * The forward pass up to the last hidden states.
   *
   * @param trace is handed every layer's states and attention weights
   * @return [tokens, hidden]
   */
  Tensor forward(TokenBatch batch, Trace trace);

  /**
   * Has a batch derive what {@link #forward} takes of it besides, so that nothing crosses to the
   * device while that runs.
   */
  default void prepare(TokenBatch batch) {}

  /** What comes after the last hidden states. */
  HeadLayer head();

  /** Whether a weight's name is that of another head of the family, or of a table it needs not. */
  boolean isOtherHead(String name);

  Limits limits();

  /** Each packed token's row in the table of positions. */
  default long[] positions(BatchLayout layout) {
    return layout.positions();
  }

  /** What is added to the scores where padding was packed: padding is no key of any query. */
  default Tensor paddingBias(Device device, BatchLayout layout) {
    float[] values = new float[Math.multiplyExact(layout.sequences(), layout.length())];
    for (int i = 0; i < layout.tokens(); i++) {
      values[(int) layout.place(i)] = layout.seen()[i] ? 0 : -Float.MAX_VALUE;
    }
    return Tensor.of(device, values, layout.sequences(), 1, 1, layout.length());
  }
}
