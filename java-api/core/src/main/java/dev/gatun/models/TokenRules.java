package dev.gatun.models;

import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;

/** What a family makes of a batch of tokens before it computes on them. */
interface TokenRules {
  Limits limits();

  /** Each packed token's row in the table of positions. */
  default long[] positions(BatchLayout layout) {
    return layout.positions();
  }

  /**
   * Has a batch derive what the family takes of it besides, so that nothing crosses to the device
   * while a forward pass runs.
   */
  default void prepare(TokenBatch batch) {}

  /**
   * Whether scores depend on the distance between tokens, so that a batch whose sequences have no
   * gaps takes none that have in its place.
   */
  default boolean readsDistances() {
    return false;
  }

  /** Whether the tokens of what else is causal attention see those after them too. */
  default boolean seesBothWays() {
    return false;
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
