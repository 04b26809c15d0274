package dev.gatun.models;

import dev.gatun.nn.Dropout;
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
    FeedForward feedForward,
    LayerNorm outputNorm) {

  /** With a network for all tokens, without a gate. */
  EncoderLayer(
      SelfAttention attention,
      Linear attentionOutput,
      LayerNorm attentionNorm,
      Linear intermediate,
      Linear output,
      LayerNorm outputNorm) {
    this(
        attention,
        attentionOutput,
        attentionNorm,
        new FeedForward.Dense(intermediate, null, output),
        outputNorm);
  }

  /** A family's own way from hidden states [tokens, hidden] to attended values [tokens, hidden]. */
  interface SelfAttention {
    /**
     * @param bias what is added to the scores, or null
     */
    Tensor forward(Tensor hidden, TokenBatch batch, Tensor bias, Trace trace);
  }

  Tensor forward(Tensor hidden, TokenBatch batch, Trace trace) {
    return forward(hidden, batch, batch.paddingBias(), trace);
  }

  /** The same with a family's own bias of the scores, padding's included. */
  Tensor forward(Tensor hidden, TokenBatch batch, Tensor bias, Trace trace) {
    try (Scope scope = Scope.open()) {
      Tensor attended =
          attentionOutput.forward(attention.forward(hidden, batch, bias, trace), hidden.dtype());
      trace.keep(scope);
      LayerInput x = attentionNorm.forward(attended, hidden, feedForward.reader());
      Tensor fed = feedForward.forward(x, batch, hidden.dtype(), trace, scope);
      return scope.keep(outputNorm.forward(fed, x.x()));
    }
  }

  /** A layer as BERT's files name its parts. */
  static EncoderLayer bert(Config config, Weights weights, int hidden, double eps) {
    int heads = config.divisor("num_attention_heads", hidden);
    Linear queryKeyValue =
        weights.joined(
            hidden, hidden, "attention.self.query", "attention.self.key", "attention.self.value");
    Dropout dropout = config.dropout("attention_probs_dropout_prob", 0.1);
    return around(config, weights, hidden, eps, fused(queryKeyValue, heads, dropout));
  }

  /** The same around another attention. */
  static EncoderLayer around(
      Config config, Weights weights, int hidden, double eps, SelfAttention attention) {
    int intermediate = config.positive("intermediate_size");
    Dropout dropout = config.dropout("hidden_dropout_prob", 0.1);
    return new EncoderLayer(
        attention,
        weights.linear("attention.output.dense", hidden, hidden).withOutputDropout(dropout),
        weights.layerNorm("attention.output.LayerNorm", hidden, eps),
        weights.linear(
            "intermediate.dense",
            intermediate,
            hidden,
            true,
            config.activation("hidden_act", "gelu")),
        weights.linear("output.dense", hidden, intermediate).withOutputDropout(dropout),
        weights.layerNorm("output.LayerNorm", hidden, eps));
  }

  /** Plain attention with the three projections in one layer. */
  static SelfAttention fused(Linear queryKeyValue, int heads, Dropout dropout) {
    return new FusedAttention(queryKeyValue, heads, null, 0, dropout);
  }
}
