package dev.gatun.models;

import dev.gatun.nn.LayerInput;
import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;

/**
 * The block that all these encoders share: attention and a feed-forward network, each followed by
 * the norm of its sum with its input ("post-norm", as in arXiv 1706.03762).
 */
record EncoderLayer(
    SelfAttention attention,
    Linear attentionOutput,
    LayerNorm attentionNorm,
    Linear intermediate,
    Linear output,
    LayerNorm outputNorm) {

  /** A family's own way from hidden states [tokens, hidden] to attended values [tokens, hidden]. */
  interface SelfAttention {
    /**
     * @param weights receives the probabilities when it is not null
     */
    Tensor forward(Tensor hidden, Context context, java.util.List<Tensor> weights);
  }

  /**
   * What is the same in every layer of a pass.
   *
   * @param batch the packed tokens
   * @param relative the relative position embeddings [2 span, hidden], or null
   * @param positions each token's position, or null where attention does not ask
   * @param keyBias [sequences, 1, 1, longest], lowest where padding was packed; else null
   */
  record Context(PackedBatch batch, Tensor relative, Tensor positions, Tensor keyBias) {}

  Tensor forward(Tensor hidden, Context context, java.util.List<Tensor> weights) {
    try (Scope scope = Scope.open()) {
      Tensor attended =
          attentionOutput.forward(attention.forward(hidden, context, weights), hidden.dtype());
      if (weights != null) {
        scope.keep(weights.getLast());
      }
      LayerInput x = attentionNorm.forward(attended, hidden, intermediate);
      Tensor fed = output.forward(intermediate.forwardNarrow(x), hidden.dtype());
      return scope.keep(outputNorm.forward(fed, x.x()));
    }
  }

  /** A layer as BERT's files name its parts. */
  static EncoderLayer bert(Config config, Weights weights, int hidden, double eps) {
    int heads = config.divisor("num_attention_heads", hidden);
    Linear queryKeyValue =
        weights.joined(
            hidden, hidden, "attention.self.query", "attention.self.key", "attention.self.value");
    return around(config, weights, hidden, eps, fused(queryKeyValue, heads));
  }

  /** The same around another attention. */
  static EncoderLayer around(
      Config config, Weights weights, int hidden, double eps, SelfAttention attention) {
    int intermediate = config.positive("intermediate_size");
    return new EncoderLayer(
        attention,
        weights.linear("attention.output.dense", hidden, hidden),
        weights.layerNorm("attention.output.LayerNorm", hidden, eps),
        weights.linear(
            "intermediate.dense",
            intermediate,
            hidden,
            true,
            config.activation("hidden_act", "gelu")),
        weights.linear("output.dense", hidden, intermediate),
        weights.layerNorm("output.LayerNorm", hidden, eps));
  }

  /** Plain attention with the three projections in one layer. */
  static SelfAttention fused(Linear queryKeyValue, int heads) {
    return (hidden, context, weights) -> {
      long tokens = hidden.size(0);
      long width = queryKeyValue.outFeatures() / 3;
      long size = width / heads;
      Tensor joined = queryKeyValue.forwardNarrow(hidden);
      long[] shape = {tokens, heads, size};
      long[] strides = {3 * width, size, 1};
      var attention =
          dev.gatun.ops.Ops.attention(
              joined.strided(0, shape, strides),
              joined.strided(width, shape, strides),
              joined.strided(2 * width, shape, strides),
              context.batch().offsets(),
              context.keyBias(),
              (float) (1 / Math.sqrt(size)),
              weights != null);
      if (weights != null) {
        weights.add(attention.weights());
      }
      return attention.output().reshape(tokens, width);
    };
  }
}
