package dev.gatun.models;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.nn.LayerInput;
import dev.gatun.nn.Linear;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;

/** The feed-forward network of a layer. */
interface FeedForward {
  /**
   * @param x the normed stream
   * @param dtype of the result
   */
  Tensor forward(LayerInput x, TokenBatch batch, DType dtype, Trace trace, Scope scope);

  /** The layer that reads the norm, which may take codes of it; null for none. */
  Linear reader();

  /**
   * One network for all tokens.
   *
   * @param gate of the joined projection; null for none
   */
  record Dense(Linear wide, Gate gate, Linear narrow) implements FeedForward {
    @Override
    public Tensor forward(LayerInput x, TokenBatch batch, DType dtype, Trace trace, Scope scope) {
      Tensor y = wide.forwardNarrow(x);
      return narrow.forward(gate == null ? y : gate.forward(y), dtype);
    }

    @Override
    public Linear reader() {
      return wide;
    }
  }
}
