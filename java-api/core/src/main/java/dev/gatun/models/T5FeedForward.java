package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.nn.LayerInput;
import dev.gatun.nn.Linear;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.Loader;

/** The feed-forward networks of T5 and its relatives. */
sealed interface T5FeedForward {
  /**
   * @param x the normed stream
   * @param dtype of the result
   */
  Tensor forward(LayerInput x, TokenBatch batch, DType dtype, Trace trace, Scope scope);

  /** The layer that reads the norm, which may take codes of it; null for none. */
  Linear reader();

  /** The network that the configuration gives a layer of a stack. */
  static T5FeedForward of(Config config, Weights layer, int index, boolean decoder) {
    String proj =
        config.text(
            "feed_forward_proj",
            config.text("model_type", "t5").equals("t5") ? "relu" : "gated-gelu");
    boolean gated = proj.startsWith("gated-");
    String name = proj.equals("gated-gelu") ? "gelu_new" : gated ? proj.substring(6) : proj;
    Activation activation = config.activationNamed("feed_forward_proj", name);
    int hidden = config.positive("d_model", 512);
    int inner = config.positive("d_ff", 2048);
    Weights block = layer.sub("DenseReluDense");
    return new Dense(
        gated
            ? block.joined(
                hidden,
                new Loader.Layer("wi_0", inner, false),
                new Loader.Layer("wi_1", inner, false))
            : block.linear("wi", inner, hidden, false, activation),
        gated ? new Gate(activation, true) : null,
        block.linear("wo", hidden, inner, false, Activation.NONE));
  }

  /**
   * One network for all tokens.
   *
   * @param gate of the joined projection; null for none
   */
  record Dense(Linear wi, Gate gate, Linear wo) implements T5FeedForward {
    @Override
    public Tensor forward(LayerInput x, TokenBatch batch, DType dtype, Trace trace, Scope scope) {
      Tensor wide = wi.forwardNarrow(x);
      return wo.forward(gate == null ? wide : gate.forward(wide), dtype);
    }

    @Override
    public Linear reader() {
      return wi;
    }
  }
}
