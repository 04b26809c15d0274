package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.CausalAttention;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.HeadLayerNorm;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.LayerInput;
import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.nn.RotaryPositionalEmbedding;
import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.Loader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Command R (Cohere), which has PaLM's block (Chowdhery et al., arXiv 2204.02311): attention and
 * SwiGLU side by side on one norm without a shift, no biases, rotary positions of neighbours,
 * output scores scaled. Command R+ has norms of each head's queries and keys besides.
 */
final class Cohere implements Decoder {
  private static final double DEFAULT_THETA = 500000;

  private final Embedding embedTokens;
  private final List<Layer> layers = new ArrayList<>();
  private final LayerNorm norm;
  private final Linear lmHead;
  private final Tensor logitScale;
  private final Limits limits;
  private final KvCache.Shape cacheShape;

  /**
   * A layer.
   *
   * @param qNorm of each head's queries, or null
   * @param kNorm of each head's keys, or null
   */
  private record Layer(
      int index,
      LayerNorm inputLayernorm,
      Linear qkvProj,
      HeadLayerNorm qNorm,
      HeadLayerNorm kNorm,
      CausalAttention selfAttn,
      Linear oProj,
      Linear gateUpProj,
      Activation hiddenAct,
      Linear downProj) {

    Tensor forward(Tensor x, TokenBatch batch, Trace trace) {
      try (Scope scope = Scope.open()) {
        LayerInput n = inputLayernorm.withSum(x, null, qkvProj).x();
        Tensor qkv = qkvProj.forwardNarrow(n);
        if (qNorm != null) {
          qkv = selfAttn.normHeads(qkv, qNorm, kNorm);
        }
        Tensor attended = trace.attend(selfAttn, qkv, batch, index, scope);
        Tensor a = oProj.forward(attended, x.dtype());
        Tensor gateUp = gateUpProj.forwardNarrow(n);
        long width = gateUp.size(1) / 2;
        Tensor gated =
            Elementwise.gatedActivation(
                gateUp.slice(1, 0, width), gateUp.slice(1, width, 2 * width), hiddenAct);
        Tensor fed = downProj.forward(gated, x.dtype());
        return scope.keep(Elementwise.add(Elementwise.add(x, a), fed));
      }
    }
  }

  Cohere(Config config, Weights all) {
    Weights weights = all.body("model");
    int hidden = config.positive("hidden_size");
    int length = config.positive("max_position_embeddings", 8192);
    int heads = config.positive("num_attention_heads");
    int kvHeads = config.positive("num_key_value_heads", heads);
    if (heads % kvHeads != 0) {
      throw config.wrong("num_key_value_heads", "a divisor of the %d heads".formatted(heads));
    }
    int size =
        config.has("head_dim")
            ? config.positive("head_dim")
            : hidden / config.divisor("num_attention_heads", hidden);
    long q = (long) heads * size;
    long kv = (long) kvHeads * size;
    int inner = config.positive("intermediate_size");
    double eps = config.eps("layer_norm_eps", 1e-5);
    boolean bias = config.flag("attention_bias", false);
    boolean normed = config.flag("use_qk_norm", false);
    TiedTable table = new TiedTable(config, all, weights, "embed_tokens", "lm_head", true);
    embedTokens = table.embedding(config.positive("vocab_size"), hidden);
    Map<String, Object> rope = RopeConfig.parameters(config);
    rope.putIfAbsent("rope_theta", DEFAULT_THETA);
    int switchLength = RopeConfig.switchLength(rope, length);
    RotaryPositionalEmbedding rotary =
        weights.loader().own(RopeConfig.tables(config, rope, weights.device(), size, length, true));
    int count = config.positive("num_hidden_layers");
    for (int i = 0; i < count; i++) {
      Weights layer = weights.sub("layers." + i);
      layers.add(
          new Layer(
              i,
              layer.layerNormWithoutBias("input_layernorm", hidden, eps),
              layer.joined(
                  hidden,
                  new Loader.Layer("self_attn.q_proj", q, bias),
                  new Loader.Layer("self_attn.k_proj", kv, bias),
                  new Loader.Layer("self_attn.v_proj", kv, bias)),
              normed ? headNorm(layer, "self_attn.q_norm", heads, size, eps) : null,
              normed ? headNorm(layer, "self_attn.k_norm", kvHeads, size, eps) : null,
              CausalAttention.of(heads, kvHeads, size, rotary)
                  .withDropout(config.dropout("attention_dropout", 0)),
              layer.linear("self_attn.o_proj", hidden, q, bias, Activation.NONE),
              layer.joined(
                  hidden,
                  new Loader.Layer("mlp.gate_proj", inner, false),
                  new Loader.Layer("mlp.up_proj", inner, false)),
              config.activation("hidden_act", "silu"),
              layer.linear("mlp.down_proj", hidden, inner, false, Activation.NONE)));
    }
    norm = weights.layerNormWithoutBias("norm", hidden, eps);
    lmHead = table.output(embedTokens);
    float[] scale = {config.number("logit_scale", 0.0625)};
    logitScale = weights.loader().own(Tensor.of(weights.device(), scale, 1));
    limits = new Limits((int) embedTokens.rows(), 0, length, switchLength + length, hidden);
    cacheShape =
        new KvCache.Shape(count, kvHeads, size, layers.getFirst().qkvProj.between())
            .withSwitchLength(switchLength);
  }

  private static HeadLayerNorm headNorm(
      Weights layer, String name, int heads, int size, double eps) {
    return new HeadLayerNorm(layer.take(name + ".weight", heads, size), (float) eps);
  }

  @Override
  public Tensor forward(TokenBatch batch, Trace trace) {
    return trace.through(
        embedTokens.forward(batch.ids()),
        layers.size(),
        (i, states) -> layers.get(i).forward(states, batch, trace),
        norm::forward);
  }

  @Override
  public Linear output() {
    return lmHead;
  }

  @Override
  public Tensor beforeOutput(Tensor hidden) {
    return Elementwise.multiply(hidden, logitScale);
  }

  @Override
  public Tensor logits(Tensor hidden) {
    return Elementwise.multiply(lmHead.forward(hidden), logitScale);
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
    return name.equals("lm_head.weight");
  }
}
