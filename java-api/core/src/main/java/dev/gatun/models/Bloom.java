package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.CausalAttention;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.LayerInput;
import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.nn.NormedSum;
import dev.gatun.nn.RotaryPositionalEmbedding;
import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * BLOOM (BigScience, arXiv 2211.05100): no positions but ALiBi's (arXiv 2108.12409), a norm over
 * the embeddings.
 */
final class Bloom implements Decoder {
  private final Embedding wordEmbeddings;
  private final LayerNorm wordEmbeddingsLayernorm;
  private final List<Layer> h = new ArrayList<>();
  private final LayerNorm lnF;
  private final Linear lmHead;
  private final Limits limits;
  private final KvCache.Shape cacheShape;

  /**
   * A layer.
   *
   * @param residualOfNorm whether a part is added to the norm that it read
   */
  private record Layer(
      int index,
      boolean residualOfNorm,
      LayerNorm inputLayernorm,
      Linear queryKeyValue,
      CausalAttention selfAttention,
      Linear dense,
      LayerNorm postAttentionLayernorm,
      Linear denseHTo4h,
      Linear dense4hToH) {

    Tensor forward(Tensor x, TokenBatch batch, Trace trace) {
      try (Scope scope = Scope.open()) {
        LayerInput n = inputLayernorm.withSum(x, null, queryKeyValue).x();
        Tensor qkv = queryKeyValue.forwardNarrow(n);
        Tensor attended = trace.attend(selfAttention, qkv, batch, index, scope);
        NormedSum middle =
            postAttentionLayernorm.withSum(
                dense.forward(attended, x.dtype()), residualOfNorm ? n.x() : x, denseHTo4h);
        Tensor fed = dense4hToH.forward(denseHTo4h.forwardNarrow(middle.x()), x.dtype());
        Tensor residual = residualOfNorm ? middle.x().x() : middle.sum();
        return scope.keep(Elementwise.add(fed, residual));
      }
    }
  }

  Bloom(Config config, Weights all) {
    Weights weights = all.body("transformer");
    int hidden = config.positive("hidden_size");
    int length = config.positive("seq_length", 2048);
    int heads = config.divisor("n_head", hidden);
    int count = config.positive("n_layer");
    int size = hidden / heads;
    double eps = config.eps("layer_norm_epsilon", 1e-5);
    TiedTable table = new TiedTable(config, all, weights, "word_embeddings", "lm_head", true);
    wordEmbeddings = table.embedding(config.positive("vocab_size"), hidden);
    wordEmbeddingsLayernorm = weights.layerNorm("word_embeddings_layernorm", hidden, eps);
    RotaryPositionalEmbedding none =
        weights.loader().own(RotaryPositionalEmbedding.none(weights.device(), length));
    Tensor slopes = weights.loader().own(Tensor.of(weights.device(), Alibi.slopes(heads), heads));
    CausalAttention attention =
        CausalAttention.of(heads, heads, size, none)
            .withDropout(config.dropout("attention_dropout", 0));
    Dropout dropout = config.dropout("hidden_dropout", 0);
    attention = attention.withScores(attention.scores().withSlopes(slopes));
    for (int i = 0; i < count; i++) {
      Weights layer = weights.sub("h." + i);
      h.add(
          new Layer(
              i,
              config.flag("apply_residual_connection_post_layernorm", false),
              layer.layerNorm("input_layernorm", hidden, eps),
              layer.grouped("self_attention.query_key_value", heads, 1, size, hidden, true),
              attention,
              layer.linear("self_attention.dense", hidden, hidden).withOutputDropout(dropout),
              layer.layerNorm("post_attention_layernorm", hidden, eps),
              layer.linear("mlp.dense_h_to_4h", 4L * hidden, hidden, true, Activation.GELU_TANH),
              layer.linear("mlp.dense_4h_to_h", hidden, 4L * hidden).withOutputDropout(dropout)));
    }
    lnF = weights.layerNorm("ln_f", hidden, eps);
    lmHead = table.output(wordEmbeddings);
    limits = new Limits((int) wordEmbeddings.rows(), 0, length, length, hidden);
    cacheShape = new KvCache.Shape(count, heads, size, h.getFirst().queryKeyValue.between());
  }

  @Override
  public Tensor forward(TokenBatch batch, Trace trace) {
    Tensor x = wordEmbeddingsLayernorm.forward(wordEmbeddings.forward(batch.ids()));
    return trace.through(
        x, h.size(), (i, states) -> h.get(i).forward(states, batch, trace), lnF::forward);
  }

  @Override
  public Linear output() {
    return lmHead;
  }

  @Override
  public Limits limits() {
    return limits;
  }

  @Override
  public KvCache.Shape cacheShape() {
    return cacheShape;
  }

  @Override
  public boolean isOtherHead(String name) {
    return name.equals("lm_head.weight") || name.startsWith("score.");
  }
}
