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
import dev.gatun.weights.Loader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * StarCoder 2 (Lozhkov et al., arXiv 2402.19173): LayerNorms before each part, rotary positions,
 * heads that share keys, biases everywhere, a window in some sizes.
 */
final class Starcoder2 implements Decoder {
  private static final String TYPE = "starcoder2";

  private final Embedding embedTokens;
  private final Dropout dropout;
  private final List<Layer> layers = new ArrayList<>();
  private final LayerNorm norm;
  private final Linear lmHead;
  private final Limits limits;
  private final KvCache.Shape cacheShape;

  private record Layer(
      int index,
      LayerNorm inputLayernorm,
      Linear qkvProj,
      CausalAttention selfAttn,
      Linear oProj,
      LayerNorm postAttentionLayernorm,
      Linear cFc,
      Linear cProj) {

    Tensor forward(Tensor x, TokenBatch batch, Trace trace) {
      try (Scope scope = Scope.open()) {
        Tensor qkv = qkvProj.forwardNarrow(inputLayernorm.withSum(x, null, qkvProj).x());
        Tensor attended = trace.attend(selfAttn, qkv, batch, index, scope);
        Tensor a = oProj.forward(attended, x.dtype());
        NormedSum middle = postAttentionLayernorm.withSum(a, x, cFc);
        Tensor fed = cProj.forward(cFc.forwardNarrow(middle.x()), x.dtype());
        return scope.keep(Elementwise.add(middle.sum(), fed));
      }
    }
  }

  Starcoder2(Config config, Weights all) {
    Weights weights = all.body("model");
    int hidden = config.positive("hidden_size", 3072);
    int length = config.positive("max_position_embeddings", 4096);
    int heads = config.positive("num_attention_heads", 24);
    int kvHeads = config.positiveUnlessNone("num_key_value_heads", 2, heads);
    if (heads % kvHeads != 0) {
      throw config.wrong("num_key_value_heads", "a divisor of the %d heads".formatted(heads));
    }
    int size =
        config.has("head_dim")
            ? config.positive("head_dim")
            : hidden / config.divisor("num_attention_heads", hidden, 24);
    long q = (long) heads * size;
    long kv = (long) kvHeads * size;
    int inner = config.positive("intermediate_size", 12288);
    double eps = config.eps("norm_epsilon", 1e-5);
    boolean bias = config.flag("use_bias", true);
    Activation activation = config.activation("hidden_act", "gelu_pytorch_tanh");
    dropout = config.dropout("embedding_dropout", 0);
    Dropout residual = config.dropout("residual_dropout", 0);
    TiedTable table = new TiedTable(config, all, weights, "embed_tokens", "lm_head", true);
    embedTokens = table.embedding(config.positive("vocab_size", 49152), hidden);
    Map<String, Object> rope = RopeConfig.parameters(config);
    int switchLength = RopeConfig.switchLength(rope, length);
    RotaryPositionalEmbedding rotary =
        weights
            .loader()
            .own(RopeConfig.tables(config, rope, weights.device(), size, length, false));
    CausalAttention attention =
        CausalAttention.of(heads, kvHeads, size, rotary)
            .withDropout(config.dropout("attention_dropout", 0));
    int count = config.positive("num_hidden_layers", 30);
    for (int i = 0; i < count; i++) {
      Weights layer = weights.sub("layers." + i);
      layers.add(
          new Layer(
              i,
              layer.layerNorm("input_layernorm", hidden, eps),
              layer.joined(
                  hidden,
                  new Loader.Layer("self_attn.q_proj", q, bias),
                  new Loader.Layer("self_attn.k_proj", kv, bias),
                  new Loader.Layer("self_attn.v_proj", kv, bias)),
              attention.withWindow(SlidingWindow.of(config, TYPE, i)),
              layer
                  .linear("self_attn.o_proj", hidden, q, bias, Activation.NONE)
                  .withOutputDropout(residual),
              layer.layerNorm("post_attention_layernorm", hidden, eps),
              layer.linear("mlp.c_fc", inner, hidden, bias, activation),
              layer
                  .linear("mlp.c_proj", hidden, inner, bias, Activation.NONE)
                  .withOutputDropout(residual)));
    }
    norm = weights.layerNorm("norm", hidden, eps);
    lmHead = table.output(embedTokens);
    limits = new Limits((int) embedTokens.rows(), 0, length, switchLength + length, hidden);
    cacheShape =
        new KvCache.Shape(count, kvHeads, size, layers.getFirst().qkvProj.between())
            .withWindow(SlidingWindow.ofAll(config, TYPE, count))
            .withSwitchLength(switchLength);
  }

  @Override
  public Tensor forward(TokenBatch batch, Trace trace) {
    return trace.through(
        dropout.forward(embedTokens.forward(batch.ids())),
        layers.size(),
        (i, states) -> layers.get(i).forward(states, batch, trace),
        norm::forward);
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
    return name.equals("lm_head.weight")
        || name.startsWith("score.")
        || name.endsWith("rotary_emb.inv_freq");
  }
}
