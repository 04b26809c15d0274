package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.CausalAttention;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.Linear;
import dev.gatun.nn.NormedSum;
import dev.gatun.nn.RmsNorm;
import dev.gatun.nn.RotaryPositionalEmbedding;
import dev.gatun.ops.Attention;
import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.Loader;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Gemma (arXiv 2403.08295): embeddings scaled by √hidden, GeGLU, norms whose weights are distances
 * from 1. Gemma 2 (arXiv 2408.00118) has norms behind the parts too, caps on the scores of
 * attention and of tokens, and a window in every second layer. Gemma 3 (arXiv 2503.19786) has norms
 * of each head's queries and keys in place of the caps, and a window and rotary positions of its
 * own in five of six layers.
 */
final class Gemma implements Decoder {
  private static final float SHIFT = 1;

  private final Embedding embedTokens;
  private final Tensor normalizer;
  private final List<Layer> layers = new ArrayList<>();
  private final RmsNorm norm;
  private final Linear lmHead;
  private final Tensor softcap;
  private final Tensor inverseSoftcap;
  private final Limits limits;
  private final KvCache.Shape cacheShape;

  /**
   * A layer.
   *
   * @param qNorm of each head's queries, or null
   * @param kNorm of each head's keys, or null
   * @param postAttention the norm behind attention, or null
   * @param preFeedforward the norm before the feed-forward network
   * @param postFeedforward the norm behind it, or null
   */
  private record Layer(
      int index,
      RmsNorm inputLayernorm,
      Linear qkvProj,
      RmsNorm qNorm,
      RmsNorm kNorm,
      CausalAttention selfAttn,
      Linear oProj,
      RmsNorm postAttention,
      RmsNorm preFeedforward,
      Linear gateUpProj,
      Activation hiddenActivation,
      Linear downProj,
      RmsNorm postFeedforward) {

    Tensor forward(Tensor x, TokenBatch batch, Trace trace) {
      try (Scope scope = Scope.open()) {
        Tensor qkv = qkvProj.forwardNarrow(inputLayernorm.withSum(x, null, qkvProj).x());
        if (qNorm != null) {
          qkv = selfAttn.normHeads(qkv, qNorm, kNorm);
        }
        Tensor attended = trace.attend(selfAttn, qkv, batch, index, scope);
        Tensor a = oProj.forward(attended, x.dtype());
        a = postAttention == null ? a : postAttention.forward(a);
        NormedSum middle = preFeedforward.withSum(a, x, gateUpProj);
        Tensor gateUp = gateUpProj.forwardNarrow(middle.x());
        long width = gateUp.size(1) / 2;
        Tensor gated =
            Elementwise.gatedActivation(
                gateUp.slice(1, 0, width), gateUp.slice(1, width, 2 * width), hiddenActivation);
        Tensor fed = downProj.forward(gated, x.dtype());
        fed = postFeedforward == null ? fed : postFeedforward.forward(fed);
        return scope.keep(Elementwise.add(middle.sum(), fed));
      }
    }
  }

  Gemma(Config config, Weights all) {
    Weights weights = all.body("model");
    String type = config.text("model_type", "gemma");
    boolean third = type.equals("gemma3_text");
    if (!third || all.scored()) {
      config.require("use_bidirectional_attention", false, "tokens see what came before them");
    }
    boolean second = third || type.equals("gemma2");
    int hidden = config.positive("hidden_size");
    int length = config.positive("max_position_embeddings", third ? 131072 : 8192);
    int heads = config.positive("num_attention_heads");
    int kvHeads = config.positiveUnlessNone("num_key_value_heads", second ? 4 : 16, heads);
    if (heads % kvHeads != 0) {
      throw config.wrong("num_key_value_heads", "a divisor of the %d heads".formatted(heads));
    }
    int size = config.positive("head_dim", 256);
    long q = (long) heads * size;
    long kv = (long) kvHeads * size;
    int inner = config.positive("intermediate_size");
    double eps = config.eps("rms_norm_eps", 1e-6);
    boolean bias = config.flag("attention_bias", false);
    TiedTable table = new TiedTable(config, all, weights, "embed_tokens", "lm_head", true);
    embedTokens = table.embedding(config.positive("vocab_size"), hidden);
    normalizer = scalar(weights, Math.sqrt(hidden));
    Map<String, Object> rope = rope(config, false);
    Map<String, Object> localRope = rope(config, true);
    int switchLength = switchLength(config, rope, localRope, length);
    CausalAttention attention =
        attention(
            config, heads, kvHeads, rotary(config, rope, weights, size, length, switchLength));
    CausalAttention windowed =
        third
            ? attention(
                config,
                heads,
                kvHeads,
                rotary(config, localRope, weights, size, length, switchLength))
            : attention;
    int count = config.positive("num_hidden_layers");
    for (int i = 0; i < count; i++) {
      Weights layer = weights.sub("layers." + i);
      long window = second ? SlidingWindow.of(config, type, i) : 0;
      RmsNorm behind = layer.rmsNorm("post_attention_layernorm", hidden, SHIFT, eps);
      layers.add(
          new Layer(
              i,
              layer.rmsNorm("input_layernorm", hidden, SHIFT, eps),
              layer.joined(
                  hidden,
                  new Loader.Layer("self_attn.q_proj", q, bias),
                  new Loader.Layer("self_attn.k_proj", kv, bias),
                  new Loader.Layer("self_attn.v_proj", kv, bias)),
              third ? layer.rmsNorm("self_attn.q_norm", size, SHIFT, eps) : null,
              third ? layer.rmsNorm("self_attn.k_norm", size, SHIFT, eps) : null,
              window > 0 ? windowed.withWindow(window) : attention,
              layer.linear("self_attn.o_proj", hidden, q, bias, Activation.NONE),
              second ? behind : null,
              second ? layer.rmsNorm("pre_feedforward_layernorm", hidden, SHIFT, eps) : behind,
              layer.joined(
                  hidden,
                  new Loader.Layer("mlp.gate_proj", inner, false),
                  new Loader.Layer("mlp.up_proj", inner, false)),
              activation(config),
              layer.linear("mlp.down_proj", hidden, inner, false, Activation.NONE),
              second ? layer.rmsNorm("post_feedforward_layernorm", hidden, SHIFT, eps) : null));
    }
    norm = weights.rmsNorm("norm", hidden, SHIFT, eps);
    lmHead = table.output(embedTokens);
    float cap = second ? config.numberOrNone("final_logit_softcapping", third ? 0 : 30) : 0;
    softcap = cap == 0 ? null : scalar(weights, cap);
    inverseSoftcap = cap == 0 ? null : scalar(weights, 1 / (double) cap);
    limits = new Limits((int) embedTokens.rows(), 0, length, switchLength + length, hidden);
    cacheShape =
        new KvCache.Shape(count, kvHeads, size, layers.getFirst().qkvProj.between())
            .withSwitchLength(switchLength);
  }

  /**
   * How a layer's tokens turn.
   *
   * @param local whether the layer has a window, of Gemma 3
   */
  private static Map<String, Object> rope(Config config, boolean local) {
    Map<String, Object> settings = RopeConfig.parameters(config);
    return config.text("model_type", "gemma").equals("gemma3_text")
        ? ofGemma3(config, settings, local)
        : settings;
  }

  /** As all layers have it, whose tables share the rows that tokens are looked up in. */
  private static int switchLength(
      Config config, Map<String, Object> rope, Map<String, Object> localRope, int length) {
    int all = RopeConfig.switchLength(rope, length);
    int local = RopeConfig.switchLength(localRope, length);
    if (all > 0 && local > 0 && all != local) {
      throw config.error(
          "'original_max_position_embeddings' is %d for some layers and %d for others, expected one number"
              .formatted(all, local));
    }
    return Math.max(all, local);
  }

  private static RotaryPositionalEmbedding rotary(
      Config config,
      Map<String, Object> settings,
      Weights weights,
      int size,
      int length,
      int switchLength) {
    return weights
        .loader()
        .own(
            RopeConfig.tables(
                config, settings, weights.device(), size, length, switchLength, false));
  }

  /**
   * The settings of one kind of layers: those under its name, and of layers without a window those
   * beside both too, as older files have them.
   */
  private static Map<String, Object> ofGemma3(
      Config config, Map<String, Object> both, boolean local) {
    Map<String, Object> settings = new LinkedHashMap<>();
    if (both.get(local ? "sliding_attention" : "full_attention") instanceof Map<?, ?> own) {
      own.forEach((key, value) -> settings.put((String) key, value));
    }
    double theta = config.decimal("rope_local_base_freq", 10000);
    if (local) {
      settings.putIfAbsent("rope_theta", theta);
      return settings;
    }
    both.forEach(
        (key, value) -> {
          if (key.equals("rope_theta")) {
            settings.putIfAbsent(key, value);
          } else if (!(value instanceof Map)) {
            settings.put(key, value);
          }
        });
    settings.putIfAbsent("rope_theta", 1e6);
    return settings;
  }

  private static CausalAttention attention(
      Config config, int heads, int kvHeads, RotaryPositionalEmbedding rotary) {
    CausalAttention attention =
        CausalAttention.of(heads, kvHeads, config.positive("head_dim", 256), rotary)
            .withDropout(config.dropout("attention_dropout", 0));
    String type = config.text("model_type", "gemma");
    if (type.equals("gemma")) {
      return attention;
    }
    double scale = 1 / Math.sqrt(config.number("query_pre_attn_scalar", 256));
    // Gemma 3's class has the key too and does not read it.
    float cap = type.equals("gemma2") ? config.numberOrNone("attn_logit_softcapping", 50) : 0;
    Attention.Scores scores = Attention.Scores.scaled((float) scale);
    return attention.withScores(cap == 0 ? scores : scores.withSoftcap(cap));
  }

  private static Tensor scalar(Weights weights, double value) {
    return weights.loader().own(Tensor.of(weights.device(), new float[] {(float) value}, 1));
  }

  /** The approximation, whatever older configurations call it. */
  private static Activation activation(Config config) {
    Activation old = config.activation("hidden_act", "gelu_pytorch_tanh");
    old = old == Activation.GELU ? Activation.GELU_TANH : old;
    if (!config.has("hidden_activation")) {
      return old;
    }
    Activation named = config.activation("hidden_activation", "gelu_pytorch_tanh");
    // Which of the two is read depends on the version of transformers.
    if (config.has("hidden_act") && named != old) {
      throw config.wrong("hidden_activation", "what 'hidden_act' has, the other name for it");
    }
    return named;
  }

  @Override
  public Tensor forward(TokenBatch batch, Trace trace) {
    Tensor embedded = embedTokens.forward(batch.ids());
    return trace.through(
        Elementwise.multiply(embedded, Elementwise.cast(normalizer, embedded.dtype())),
        layers.size(),
        (i, states) -> layers.get(i).forward(states, batch, trace),
        norm::forward);
  }

  @Override
  public Linear output() {
    return softcap == null ? lmHead : null;
  }

  @Override
  public Tensor logits(Tensor hidden) {
    Tensor logits = lmHead.forward(hidden);
    return softcap == null
        ? logits
        : Elementwise.multiply(
            Elementwise.activation(Elementwise.multiply(logits, inverseSoftcap), Activation.TANH),
            softcap);
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
