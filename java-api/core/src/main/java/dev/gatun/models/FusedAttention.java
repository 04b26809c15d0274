package dev.gatun.models;

import dev.gatun.kernels.api.call.attention.Causal;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.Linear;
import dev.gatun.nn.RotaryPositionalEmbedding;
import dev.gatun.ops.Attention;
import dev.gatun.tensor.Tensor;

/**
 * Self-attention with the three projections in one layer.
 *
 * @param queryKeyValue gives a token's queries, then its keys, then its values, head by head
 * @param heads of each
 * @param rotary turns queries and keys by their positions; null where they do not turn
 * @param window how many tokens a query sees on each side, its own counted; 0 for all
 * @param dropout of the probabilities
 */
record FusedAttention(
    Linear queryKeyValue, int heads, RotaryPositionalEmbedding rotary, long window, Dropout dropout)
    implements EncoderLayer.SelfAttention {
  /** The same where the bias says which tokens a query sees. */
  FusedAttention withoutWindow() {
    return new FusedAttention(queryKeyValue, heads, rotary, 0, dropout);
  }

  @Override
  public Tensor forward(Tensor hidden, TokenBatch batch, Tensor bias, Trace trace) {
    long tokens = hidden.size(0);
    long width = queryKeyValue.outFeatures() / 3;
    long size = width / heads;
    Tensor joined = queryKeyValue.forwardNarrow(hidden);
    long[] shape = {tokens, heads, size};
    long[] strides = {3 * width, size, 1};
    Tensor query = joined.strided(0, shape, strides);
    Tensor key = joined.strided(width, shape, strides);
    if (rotary != null) {
      query = rotary.forward(query, batch.positions());
      key = rotary.forward(key, batch.positions());
    }
    Attention.Result attention =
        Attention.scaledDotProductAttention(
            query,
            batch.segments(),
            Attention.Keys.ragged(key, joined.strided(2 * width, shape, strides), batch.segments()),
            Attention.Scores.scaled((float) (1 / Math.sqrt(size))).withBias(bias),
            new Attention.Mask(Causal.NONE, window, null),
            dropout.mask(),
            false,
            trace.wantsAttentions());
    trace.attention(attention.weights());
    return attention.output().reshape(tokens, width);
  }
}
