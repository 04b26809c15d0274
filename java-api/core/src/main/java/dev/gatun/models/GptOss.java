package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.nn.CausalAttention;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.ExpertsLinear;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.Linear;
import dev.gatun.nn.NormedSum;
import dev.gatun.nn.RmsNorm;
import dev.gatun.nn.RotaryPositionalEmbedding;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Experts;
import dev.gatun.ops.Layouts;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.Loader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * gpt-oss (OpenAI, arXiv 2508.10925): layers whose attention has a sink a head, a learned logit
 * that takes part of the probabilities, and a window in every second layer; and mixtures of experts
 * with biases and a SwiGLU whose halves are clamped: {@code min(g, limit) sigmoid(1.702 min(g,
 * limit)) (clamp(u, -limit, limit) + 1)}.
 *
 * <p>Published files have the experts' weights in blocks of MXFP4, an output feature's one after
 * another, others as numbers {@code [experts, in_features, out_features]}. In both the features of
 * gate and up take turns.
 */
final class GptOss implements Decoder {
  private static final Activation NONE = Activation.NONE;

  private final Embedding embedTokens;
  private final List<Layer> layers = new ArrayList<>();
  private final RmsNorm norm;
  private final Linear lmHead;
  private final Limits limits;
  private final KvCache.Shape cacheShape;
  private final Routers routers;

  private record Layer(
      int index,
      RmsNorm inputLayernorm,
      Linear qkvProj,
      CausalAttention selfAttn,
      Linear oProj,
      RmsNorm postAttentionLayernorm,
      Mlp mlp) {

    /** From the normed stream before this layer to that of the next norm. */
    NormedSum forward(NormedSum in, TokenBatch batch, Trace trace, RmsNorm next, Linear reader) {
      Tensor stream = in.sum();
      try (Scope scope = Scope.open()) {
        Tensor qkv = qkvProj.forwardNarrow(in.x());
        Tensor attended = trace.attend(selfAttn, qkv, batch, index, scope);
        Tensor x = oProj.forward(attended, stream.dtype());
        // Experts gather rows of the norm's results: they take no codes of it.
        NormedSum middle = postAttentionLayernorm.withSum(x, stream, null);
        Tensor fed = mlp.forward(middle.x().x(), trace, scope);
        return next.withSum(fed, middle.sum(), reader).keptBy(scope);
      }
    }
  }

  /**
   * A mixture.
   *
   * @param router in F32 whatever the others are: rounding would choose other experts
   * @param routerBias F32 [experts]
   * @param perToken the experts of a token
   */
  private record Mlp(
      Linear router,
      Tensor routerBias,
      int perToken,
      ExpertsLinear gateUpProj,
      ClampedSwiglu activation,
      ExpertsLinear downProj) {
    /** [tokens, hidden] to the sum of what each token's experts give. */
    Tensor forward(Tensor x, Trace trace, Scope scope) {
      Tensor wide = x.dtype() == DType.F32 ? x : Elementwise.cast(x, DType.F32);
      Tensor logits = Elementwise.add(router.forward(wide), routerBias);
      trace.router(logits, scope);
      Experts.Routing routing = Experts.route(logits, perToken, true, 1, null);
      Tensor gateUp = gateUpProj.forward(x, routing.rows(), routing, DType.F32);
      Tensor gated = Elementwise.cast(activation.forward(gateUp), gateUpProj.between());
      Tensor y = downProj.forward(gated, null, routing, x.dtype());
      return Experts.combine(y, routing, null, x.dtype());
    }
  }

  /**
   * Numbers of the activation, each F32 [1].
   *
   * @param limit of both halves
   * @param lowest of up, the limit's opposite
   */
  private record ClampedSwiglu(Tensor limit, Tensor lowest, Tensor one) {
    /** F32 [places, 2 intermediate], gates ahead of ups, to [places, intermediate]. */
    Tensor forward(Tensor gateUp) {
      long width = gateUp.size(1) / 2;
      Tensor gate = Elementwise.minimum(gateUp.slice(1, 0, width), limit);
      Tensor up = Elementwise.minimum(gateUp.slice(1, width, 2 * width), limit);
      Tensor shifted = Elementwise.add(Elementwise.maximum(up, lowest), one);
      return Elementwise.gatedActivation(gate, shifted, Activation.QUICK_GELU);
    }
  }

  GptOss(Config config, Weights all) {
    if (all.areParameters()) {
      throw config.error(
          "'model_type' is gpt_oss, whose weights are not trained here; expected another one");
    }
    // What the files of the first months have beside transformers' own keys.
    config.withoutEffect("experts_per_token", "initial_context_length");
    Weights weights = all.body("model");
    int hidden = config.positive("hidden_size", 2880);
    int positions = config.positive("max_position_embeddings", 131072);
    int heads = config.positive("num_attention_heads", 64);
    int kvHeads = config.positiveUnlessNone("num_key_value_heads", 8, heads);
    if (heads % kvHeads != 0) {
      throw config.wrong("num_key_value_heads", "a divisor of the %d heads".formatted(heads));
    }
    int size = config.positive("head_dim", 64);
    int experts =
        config.positive(config.has("num_experts") ? "num_experts" : "num_local_experts", 128);
    routers =
        new Routers(
            config.positive("num_experts_per_tok", 4),
            config.number("router_aux_loss_coef", 0.001),
            config.flag("output_router_logits", false));
    if (routers.perToken() > experts) {
      throw config.wrong("num_experts_per_tok", "at most the %d experts".formatted(experts));
    }
    config.require("hidden_act", "silu");
    TiedTable table = new TiedTable(config, all, weights, "embed_tokens", "lm_head", false);
    embedTokens = table.embedding(config.positive("vocab_size", 201088), hidden);
    Map<String, Object> rope = rope(config);
    int switchLength = RopeConfig.switchLength(rope, positions);
    RotaryPositionalEmbedding rotary =
        weights
            .loader()
            .own(RopeConfig.tables(config, rope, weights.device(), size, positions, false));
    CausalAttention attention =
        CausalAttention.of(heads, kvHeads, size, rotary)
            .withDropout(config.dropout("attention_dropout", 0));
    double limit = config.decimal("swiglu_limit", 7);
    ClampedSwiglu activation =
        new ClampedSwiglu(scalar(weights, limit), scalar(weights, -limit), scalar(weights, 1));
    int count = config.positive("num_hidden_layers", 36);
    for (int i = 0; i < count; i++) {
      Weights layer = weights.sub("layers." + i);
      String sinks = layer.has("self_attn.sinks") ? "self_attn.sinks" : "self_attn.sinks.weight";
      CausalAttention own =
          attention
              .withWindow(SlidingWindow.of(config, "gpt_oss", i))
              .withScores(attention.scores().withSinks(layer.take(sinks, heads)));
      layers.add(layer(config, layer, i, own, hidden, experts, activation));
    }
    norm = weights.rmsNorm("norm", hidden, 0, config.eps("rms_norm_eps", 1e-5));
    lmHead = table.output(embedTokens);
    limits = new Limits((int) embedTokens.rows(), 0, positions, switchLength + positions, hidden);
    cacheShape =
        new KvCache.Shape(count, kvHeads, size, layers.getFirst().qkvProj.between())
            .withWindow(SlidingWindow.ofAll(config, "gpt_oss", count))
            .withSwitchLength(switchLength);
  }

  private static Tensor scalar(Weights weights, double value) {
    return weights.loader().own(Tensor.of(weights.device(), new float[] {(float) value}, 1));
  }

  private static Map<String, Object> rope(Config config) {
    Map<String, Object> rope = RopeConfig.parameters(config);
    if (rope.isEmpty() || rope.keySet().equals(Set.of("rope_theta"))) {
      rope.put("rope_type", "yarn");
      rope.put("factor", 32.0);
      rope.put("beta_fast", 32.0);
      rope.put("beta_slow", 1.0);
      rope.put("truncate", false);
      rope.put("original_max_position_embeddings", 4096);
    }
    rope.putIfAbsent("rope_theta", 150000.0);
    return rope;
  }

  private Layer layer(
      Config config,
      Weights weights,
      int index,
      CausalAttention attention,
      int hidden,
      int experts,
      ClampedSwiglu activation) {
    boolean bias = config.flag("attention_bias", true);
    double eps = config.eps("rms_norm_eps", 1e-5);
    long q = (long) attention.heads() * attention.headSize();
    long kv = (long) attention.kvHeads() * attention.headSize();
    Weights self = weights.sub("self_attn");
    return new Layer(
        index,
        weights.rmsNorm("input_layernorm", hidden, 0, eps),
        self.joined(
            hidden,
            new Loader.Layer("q_proj", q, bias),
            new Loader.Layer("k_proj", kv, bias),
            new Loader.Layer("v_proj", kv, bias)),
        attention,
        self.linear("o_proj", hidden, q, bias, NONE),
        weights.rmsNorm("post_attention_layernorm", hidden, 0, eps),
        mlp(config, weights.sub("mlp"), hidden, experts, activation));
  }

  private Mlp mlp(Config config, Weights mlp, int hidden, int experts, ClampedSwiglu activation) {
    int inner = config.positive("intermediate_size", 2880);
    Weights all = mlp.sub("experts");
    float[] gateUp = gateUpBias(all, experts, inner);
    float[] down = downBias(all, experts, hidden);
    boolean fused = all.has("gate_up_proj");
    return new Mlp(
        mlp.exactLinear("router", experts, hidden, NONE),
        mlp.take("router.bias", experts),
        routers.perToken(),
        fused
            ? all.transposedExperts(
                "gate_up_proj", 2L * inner, hidden, gateUp, GptOss::gatesThenUps)
            : mlp.experts(gateUp, experts, inner, hidden, "gate_proj", "up_proj"),
        activation,
        fused
            ? all.transposedExperts(
                "down_proj", hidden, inner, down, x -> Layouts.transpose(x, 0, 1))
            : mlp.experts(down, experts, hidden, inner, "down_proj"));
  }

  /** Whether each expert's layers have tensors of their own, as GGUF's are read. */
  private static boolean areNamed(Weights experts) {
    return experts.hasAny("0");
  }

  /** [experts, 2 inner], those of gates ahead of those of ups. */
  private static float[] gateUpBias(Weights all, int experts, int inner) {
    float[] biases = new float[experts * 2 * inner];
    if (areNamed(all)) {
      for (int e = 0; e < experts; e++) {
        float[] gate = all.elements(e + ".gate_proj.bias", inner);
        float[] up = all.elements(e + ".up_proj.bias", inner);
        System.arraycopy(gate, 0, biases, 2 * e * inner, inner);
        System.arraycopy(up, 0, biases, (2 * e + 1) * inner, inner);
      }
      return biases;
    }
    float[] turns = all.elements("gate_up_proj_bias", experts, 2L * inner);
    for (int i = 0; i < turns.length; i++) {
      int expert = i / (2 * inner);
      int place = i % (2 * inner);
      biases[(2 * expert + place % 2) * inner + place / 2] = turns[i];
    }
    return biases;
  }

  private static float[] downBias(Weights all, int experts, int hidden) {
    if (!areNamed(all)) {
      return all.elements("down_proj_bias", experts, hidden);
    }
    float[] biases = new float[experts * hidden];
    for (int e = 0; e < experts; e++) {
      System.arraycopy(all.elements(e + ".down_proj.bias", hidden), 0, biases, e * hidden, hidden);
    }
    return biases;
  }

  /** An expert's [hidden, 2 inner] as [2 inner, hidden]. */
  private static Tensor gatesThenUps(Tensor stored) {
    long hidden = stored.size(0);
    long inner = stored.size(1) / 2;
    long[] shape = {inner, hidden};
    long[] strides = {2, 2 * inner};
    return Layouts.concat(
        0, List.of(stored.strided(0, shape, strides), stored.strided(1, shape, strides)));
  }

  @Override
  public Tensor forward(TokenBatch batch, Trace trace) {
    Tensor embedded = trace.first(embedTokens.forward(batch.ids()));
    Layer first = layers.getFirst();
    return trace.through(
        first.inputLayernorm.withSum(embedded, null, first.qkvProj),
        layers.size(),
        (i, x, each) -> {
          Layer after = i + 1 < layers.size() ? layers.get(i + 1) : null;
          RmsNorm next = after == null ? norm : after.inputLayernorm;
          Linear reader = after == null ? null : after.qkvProj;
          return layers.get(i).forward(x, batch, each, next, reader);
        });
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
  public Routers routers() {
    return routers;
  }

  @Override
  public boolean isOtherHead(String name) {
    return name.equals("lm_head.weight") || name.startsWith("score.");
  }
}
