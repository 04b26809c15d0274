package dev.gatun.models;

import dev.gatun.nn.LayerInput;
import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.ops.Attention;
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
    Tensor forward(Tensor hidden, TokenBatch batch, Trace trace);
  }

  Tensor forward(Tensor hidden, TokenBatch batch, Trace trace) {
    try (Scope scope = Scope.open()) {
      Tensor attended =
          attentionOutput.forward(attention.forward(hidden, batch, trace), hidden.dtype());
      trace.keep(scope);
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
    return (hidden, batch, trace) -> {
      long tokens = hidden.size(0);
      long width = queryKeyValue.outFeatures() / 3;
      long size = width / heads;
      Tensor joined = queryKeyValue.forwardNarrow(hidden);
      long[] shape = {tokens, heads, size};
      long[] strides = {3 * width, size, 1};
      Attention.Result attention =
          Attention.scaledDotProductAttention(
              joined.strided(0, shape, strides),
              batch.segments(),
              Attention.Keys.ragged(
                  joined.strided(width, shape, strides),
                  joined.strided(2 * width, shape, strides),
                  batch.segments()),
              Attention.Scores.scaled((float) (1 / Math.sqrt(size))).withBias(batch.paddingBias()),
              trace.wantsAttentions());
      trace.attention(attention.weights());
      return attention.output().reshape(tokens, width);
    };
  }
}
