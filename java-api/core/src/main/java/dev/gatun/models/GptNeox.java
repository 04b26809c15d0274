package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.CausalAttention;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.nn.NormedSum;
import dev.gatun.nn.RotaryPositionalEmbedding;
import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * GPT-NeoX (Black et al., arXiv 2204.06745; Pythia, arXiv 2304.01373): attention and feed-forward
 * side by side, each on a norm of its own, or one after another; rotary positions in a part of each
 * head.
 */
final class GptNeox implements Decoder {
  private final Embedding embedIn;
  private final Dropout dropout;
  private final List<Layer> layers = new ArrayList<>();
  private final LayerNorm finalLayerNorm;
  private final Linear embedOut;
  private final Limits limits;
  private final KvCache.Shape cacheShape;

  private record Layer(
      int index,
      boolean parallel,
      LayerNorm inputLayernorm,
      Linear queryKeyValue,
      CausalAttention attention,
      Linear dense,
      LayerNorm postAttentionLayernorm,
      Linear denseHTo4h,
      Linear dense4hToH) {

    Tensor forward(Tensor x, TokenBatch batch, Trace trace) {
      try (Scope scope = Scope.open()) {
        Tensor qkv =
            queryKeyValue.forwardNarrow(inputLayernorm.withSum(x, null, queryKeyValue).x());
        Tensor attended = trace.attend(attention, qkv, batch, index, scope);
        Tensor a = dense.forward(attended, x.dtype());
        NormedSum middle =
            parallel
                ? postAttentionLayernorm.withSum(x, null, denseHTo4h)
                : postAttentionLayernorm.withSum(a, x, denseHTo4h);
        Tensor fed = dense4hToH.forward(denseHTo4h.forwardNarrow(middle.x()), x.dtype());
        Tensor both = parallel ? Elementwise.add(fed, a) : fed;
        return scope.keep(Elementwise.add(both, middle.sum()));
      }
    }
  }

  GptNeox(Config config, Weights all) {
    Weights weights = all.body("gpt_neox");
    int hidden = config.positive("hidden_size");
    int length = config.positive("max_position_embeddings", 2048);
    int heads = config.divisor("num_attention_heads", hidden);
    int size = hidden / heads;
    int inner = config.positive("intermediate_size");
    double eps = config.eps("layer_norm_eps", 1e-5);
    boolean bias = config.flag("attention_bias", true);
    Activation activation = config.activation("hidden_act", "gelu");
    dropout = config.dropout("hidden_dropout", 0);
    // The class of transformers 5 has another name for what files have.
    boolean renamed = !all.has("embed_out.weight") && all.has("lm_head.weight");
    String head = renamed ? "lm_head" : "embed_out";
    TiedTable table = new TiedTable(config, all, weights, "embed_in", head, false);
    embedIn = table.embedding(config.positive("vocab_size"), hidden);
    Map<String, Object> rope = RopeConfig.parameters(config);
    rope.putIfAbsent("rope_theta", config.number("rotary_emb_base", 10000));
    rope.putIfAbsent("partial_rotary_factor", config.number("rotary_pct", 0.25));
    int switchLength = RopeConfig.switchLength(rope, length);
    RotaryPositionalEmbedding rotary =
        weights
            .loader()
            .own(RopeConfig.tables(config, rope, weights.device(), size, length, false));
    int count = config.positive("num_hidden_layers");
    for (int i = 0; i < count; i++) {
      Weights layer = weights.sub("layers." + i);
      layers.add(
          new Layer(
              i,
              config.flag("use_parallel_residual", true),
              layer.layerNorm("input_layernorm", hidden, eps),
              layer.grouped("attention.query_key_value", heads, 1, size, hidden, bias),
              CausalAttention.of(heads, heads, size, rotary)
                  .withDropout(config.dropout("attention_dropout", 0)),
              layer
                  .linear("attention.dense", hidden, hidden, bias, Activation.NONE)
                  .withOutputDropout(dropout),
              layer.layerNorm("post_attention_layernorm", hidden, eps),
              layer.linear("mlp.dense_h_to_4h", inner, hidden, true, activation),
              layer.linear("mlp.dense_4h_to_h", hidden, inner).withOutputDropout(dropout)));
    }
    finalLayerNorm = weights.layerNorm("final_layer_norm", hidden, eps);
    embedOut = table.output(embedIn);
    limits = new Limits((int) embedIn.rows(), 0, length, switchLength + length, hidden);
    cacheShape =
        new KvCache.Shape(count, heads, size, layers.getFirst().queryKeyValue.between())
            .withSwitchLength(switchLength);
  }

  @Override
  public Tensor forward(TokenBatch batch, Trace trace) {
    return trace.through(
        dropout.forward(embedIn.forward(batch.ids())),
        layers.size(),
        (i, states) -> layers.get(i).forward(states, batch, trace),
        finalLayerNorm::forward);
  }

  @Override
  public Linear output() {
    return embedOut;
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
    return name.matches("(embed_out|lm_head)\\.weight")
        || name.matches(
            "(gpt_neox\\.)?layers\\.\\d+\\.attention\\.((masked_)?bias|rotary_emb\\.inv_freq)")
        || name.startsWith("score.");
  }
}
