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
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.Loader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Mixtral (Jiang et al., arXiv 2401.04088): LLaMA's layers, whose feed-forward networks are
 * mixtures of experts, some of which each token goes through. Its relatives: Qwen 2 MoE (arXiv
 * 2407.10671) has biases of queries, keys and values, and one more expert for all tokens behind a
 * gate of its own; Qwen 3 MoE (arXiv 2505.09388) norms of each head's queries and keys. Some of
 * their layers may have a plain network.
 */
final class Mixtral implements Decoder {
  private static final Activation NONE = Activation.NONE;
  private static final String[] GATE_UP = {"gate_proj", "up_proj"};
  private static final String[] OLD_GATE_UP = {"w1", "w3"};

  private final Embedding embedTokens;
  private final List<Layer> layers = new ArrayList<>();
  private final RmsNorm norm;
  private final Linear lmHead;
  private final Limits limits;
  private final KvCache.Shape cacheShape;
  private final Routers routers;

  /**
   * A layer.
   *
   * @param qNorm of each head's queries, or null
   * @param kNorm of each head's keys, or null
   * @param mlp the network of all tokens; the shared expert's of a mixture; or null
   * @param moe the mixture, or null
   */
  private record Layer(
      int index,
      RmsNorm inputLayernorm,
      Linear qkvProj,
      RmsNorm qNorm,
      RmsNorm kNorm,
      CausalAttention selfAttn,
      Linear oProj,
      RmsNorm postAttentionLayernorm,
      Mlp mlp,
      Moe moe) {

    /** From the normed stream before this layer to that of the next norm. */
    NormedSum forward(NormedSum in, TokenBatch batch, Trace trace, RmsNorm next, Linear reader) {
      Tensor stream = in.sum();
      try (Scope scope = Scope.open()) {
        Tensor qkv = qkvProj.forwardNarrow(in.x());
        if (qNorm != null) {
          qkv = selfAttn.normHeads(qkv, qNorm, kNorm);
        }
        Tensor attended = trace.attend(selfAttn, qkv, batch, index, scope);
        Tensor x = oProj.forward(attended, stream.dtype());
        // Experts gather rows of the norm's results: they take no codes of it.
        NormedSum middle =
            postAttentionLayernorm.withSum(x, stream, moe == null ? mlp.gateUpProj() : null);
        Tensor shared = mlp == null ? null : mlp.forward(middle, stream.dtype());
        Tensor fed = moe == null ? shared : moe.forward(middle.x().x(), shared, trace, scope);
        return next.withSum(fed, middle.sum(), reader).keptBy(scope);
      }
    }
  }

  /**
   * SwiGLU of all tokens.
   *
   * @param gate of its output, one number a token behind a sigmoid; or null
   */
  private record Mlp(Linear gateUpProj, Activation hiddenAct, Linear downProj, Linear gate) {
    Tensor forward(NormedSum x, DType dtype) {
      Tensor y = downProj.forward(gated(gateUpProj.forwardNarrow(x.x()), hiddenAct), dtype);
      return gate == null
          ? y
          : Elementwise.multiply(y, Elementwise.cast(gate.forward(wide(x.x().x())), dtype));
    }
  }

  /**
   * SwiGLU of each token's experts.
   *
   * @param gate the router, in F32 whatever the others are: rounding would choose other experts
   * @param perToken the experts of a token
   * @param renormalize whether their weights add up to 1
   */
  private record Moe(
      Linear gate,
      int perToken,
      boolean renormalize,
      ExpertsLinear gateUpProj,
      Activation hiddenAct,
      ExpertsLinear downProj) {
    /**
     * Adds the experts' outputs to those of the shared one.
     *
     * @param x [tokens, hidden]
     * @param shared as x in the residual stream's dtype, or null
     */
    Tensor forward(Tensor x, Tensor shared, Trace trace, Scope scope) {
      Tensor logits = gate.forward(wide(x));
      trace.router(logits, scope);
      Experts.Routing routing = Experts.route(logits, perToken, renormalize, 1, null);
      Tensor gateUp = gateUpProj.forward(x, routing.rows(), routing, gateUpProj.between());
      Tensor y = downProj.forward(gated(gateUp, hiddenAct), null, routing, x.dtype());
      return Experts.combine(y, routing, shared, x.dtype());
    }
  }

  private static Tensor gated(Tensor gateUp, Activation hiddenAct) {
    long width = gateUp.size(1) / 2;
    return Elementwise.gatedActivation(
        gateUp.slice(1, 0, width), gateUp.slice(1, width, 2 * width), hiddenAct);
  }

  private static Tensor wide(Tensor x) {
    return x.dtype() == DType.F32 ? x : Elementwise.cast(x, DType.F32);
  }

  /** What the members of the family have where the configuration does not say. */
  private record Defaults(
      int length, int experts, int perToken, int moeWidth, double eps, boolean bias) {
    static Defaults of(String type) {
      return switch (type) {
        case "qwen2_moe" -> new Defaults(32768, 60, 4, 1408, 1e-6, true);
        case "qwen3_moe" -> new Defaults(32768, 128, 8, 768, 1e-6, false);
        default -> new Defaults(131072, 8, 2, 0, 1e-5, false);
      };
    }
  }

  Mixtral(Config config, Weights all) {
    Weights weights = all.body("model");
    String type = config.text("model_type", "mixtral");
    Defaults defaults = Defaults.of(type);
    if (!type.equals("mixtral")) {
      // Of layers with experts and of those without, not all models have both.
      config.withoutEffect(
          "decoder_sparse_step",
          "intermediate_size",
          "moe_intermediate_size",
          "norm_topk_prob",
          "shared_expert_intermediate_size");
    }
    int hidden = config.positive("hidden_size");
    int positions = config.positive("max_position_embeddings", defaults.length());
    Map<String, Object> rope = RopeConfig.parameters(config);
    if (type.equals("mixtral")) {
      rope.putIfAbsent("rope_theta", 1e6);
    }
    int switchLength = RopeConfig.switchLength(rope, positions);
    int heads = config.positive("num_attention_heads");
    int kvHeads = config.positiveUnlessNone("num_key_value_heads", kvHeads(config), heads);
    if (heads % kvHeads != 0) {
      throw config.wrong("num_key_value_heads", "a divisor of the %d heads".formatted(heads));
    }
    int size =
        config.has("head_dim")
            ? config.positive("head_dim")
            : hidden / config.divisor("num_attention_heads", hidden);
    TiedTable table = new TiedTable(config, all, weights, "embed_tokens", "lm_head", false);
    embedTokens = table.embedding(config.positive("vocab_size"), hidden);
    RotaryPositionalEmbedding rotary =
        weights
            .loader()
            .own(RopeConfig.tables(config, rope, weights.device(), size, positions, false));
    CausalAttention attention =
        CausalAttention.of(heads, kvHeads, size, rotary)
            .withDropout(config.dropout("attention_dropout", 0));
    int experts = experts(config, type, defaults);
    routers =
        new Routers(
            config.positive("num_experts_per_tok", defaults.perToken()),
            config.number("router_aux_loss_coef", 0.001),
            config.flag("output_router_logits", false));
    if (experts > 0 && routers.perToken() > experts) {
      throw config.wrong("num_experts_per_tok", "at most the %d experts".formatted(experts));
    }
    int count = config.positive("num_hidden_layers");
    for (int i = 0; i < count; i++) {
      CausalAttention windowed = attention.withWindow(SlidingWindow.of(config, type, i));
      Weights layer = weights.sub("layers." + i);
      layers.add(layer(config, type, defaults, layer, i, windowed, hidden, experts));
    }
    norm = weights.rmsNorm("norm", hidden, 0, config.eps("rms_norm_eps", defaults.eps()));
    lmHead = table.output(embedTokens);
    limits = new Limits((int) embedTokens.rows(), 0, positions, switchLength + positions, hidden);
    cacheShape =
        new KvCache.Shape(count, kvHeads, size, layers.getFirst().qkvProj.between())
            .withWindow(SlidingWindow.ofAll(config, type, count))
            .withSwitchLength(switchLength);
  }

  /** The number of experts, under any of its names; 0 where a Qwen has none. */
  private static int experts(Config config, String type, Defaults defaults) {
    boolean mixtral = type.equals("mixtral");
    String own = mixtral ? "num_local_experts" : "num_experts";
    String other = mixtral ? "num_experts" : "num_local_experts";
    String key = config.has(own) || !config.has(other) ? own : other;
    return mixtral || config.integer(key, defaults.experts()) != 0
        ? config.positive(key, defaults.experts())
        : 0;
  }

  private Layer layer(
      Config config,
      String type,
      Defaults defaults,
      Weights weights,
      int index,
      CausalAttention attention,
      int hidden,
      int experts) {
    boolean qwen2 = type.equals("qwen2_moe");
    boolean normed = type.equals("qwen3_moe");
    boolean bias = config.flag(qwen2 ? "qkv_bias" : "attention_bias", defaults.bias());
    if (type.equals("mixtral")) {
      config.require("attention_bias", false, "Mixtral's projections have none");
    }
    double eps = config.eps("rms_norm_eps", defaults.eps());
    long q = (long) attention.heads() * attention.headSize();
    long kv = (long) attention.kvHeads() * attention.headSize();
    Weights self = weights.sub("self_attn");
    boolean sparse = experts > 0 && isSparse(config, type, index);
    Mlp mlp = null;
    if (!sparse) {
      mlp = mlp(config, weights.sub("mlp"), hidden, config.positive("intermediate_size"), null);
    } else if (qwen2) {
      int inner = config.positive("shared_expert_intermediate_size", 5632);
      Linear gate = weights.exactLinear("mlp.shared_expert_gate", 1, hidden, Activation.SIGMOID);
      mlp = mlp(config, weights.sub("mlp.shared_expert"), hidden, inner, gate);
    }
    return new Layer(
        index,
        weights.rmsNorm("input_layernorm", hidden, 0, eps),
        self.joined(
            hidden,
            new Loader.Layer("q_proj", q, bias),
            new Loader.Layer("k_proj", kv, bias),
            new Loader.Layer("v_proj", kv, bias)),
        normed ? self.rmsNorm("q_norm", attention.headSize(), 0, eps) : null,
        normed ? self.rmsNorm("k_norm", attention.headSize(), 0, eps) : null,
        attention,
        self.linear("o_proj", hidden, q, bias && !qwen2, NONE),
        weights.rmsNorm("post_attention_layernorm", hidden, 0, eps),
        mlp,
        sparse ? moe(config, type, weights, hidden, experts) : null);
  }

  /** Whether a layer is a mixture: all of Mixtral, and of Qwen those that are not excepted. */
  private static boolean isSparse(Config config, String type, int index) {
    return type.equals("mixtral")
        || !config.integers("mlp_only_layers").contains(index)
            && (index + 1) % config.positive("decoder_sparse_step", 1) == 0;
  }

  private static Mlp mlp(Config config, Weights mlp, int hidden, int inner, Linear gate) {
    return new Mlp(
        mlp.joined(
            hidden,
            new Loader.Layer("gate_proj", inner, false),
            new Loader.Layer("up_proj", inner, false)),
        config.activation("hidden_act", "silu"),
        mlp.linear("down_proj", hidden, inner, false, NONE),
        gate);
  }

  private Moe moe(Config config, String type, Weights layer, int hidden, int experts) {
    boolean mixtral = type.equals("mixtral");
    // transformers before 5 wrote Mixtral's under other names.
    boolean old = mixtral && layer.hasAny("block_sparse_moe");
    Weights block = layer.sub(old ? "block_sparse_moe" : "mlp");
    int inner =
        mixtral
            ? config.positive("intermediate_size")
            : config.positive("moe_intermediate_size", Defaults.of(type).moeWidth());
    boolean fused = block.has("experts.gate_up_proj");
    return new Moe(
        block.exactLinear("gate", experts, hidden, NONE),
        routers.perToken(),
        mixtral || config.flag("norm_topk_prob", false),
        fused
            ? block.fusedExperts("experts.gate_up_proj", experts, 2L * inner, hidden)
            : block.experts(experts, inner, hidden, old ? OLD_GATE_UP : GATE_UP),
        config.activation("hidden_act", "silu"),
        fused
            ? block.fusedExperts("experts.down_proj", experts, hidden, inner)
            : block.experts(experts, hidden, inner, old ? "w2" : "down_proj"));
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
    return name.equals("lm_head.weight")
        || name.startsWith("score.")
        || name.endsWith("rotary_emb.inv_freq");
  }

  /** The heads of keys where the configuration says nothing. */
  private static int kvHeads(Config config) {
    return switch (config.text("model_type", "")) {
      case "qwen2_moe" -> 16;
      case "qwen3_moe" -> 4;
      default -> 8;
    };
  }
}
