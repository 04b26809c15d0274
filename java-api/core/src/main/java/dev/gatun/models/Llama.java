package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.CausalAttention;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.Linear;
import dev.gatun.nn.NormedSum;
import dev.gatun.nn.RmsNorm;
import dev.gatun.nn.RotaryPositionalEmbedding;
import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.Loader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * LLaMA (Touvron et al., arXiv 2302.13971, 2307.09288; Grattafiori et al., arXiv 2407.21783): norms
 * before each part, rotary positions, SwiGLU, no biases. Its relatives differ in what the
 * configuration says: Mistral (arXiv 2310.06825) has a window, Qwen 2 (arXiv 2407.10671) biases of
 * queries, keys and values, Qwen 3 (arXiv 2505.09388) norms of each head's queries and keys, Phi-3
 * (arXiv 2404.14219) joined projections in the file.
 */
final class Llama implements Decoder {
  private static final int DEFAULT_HEAD_QWEN3 = 128;

  private final Embedding embedTokens;
  private final List<Layer> layers = new ArrayList<>();
  private final RmsNorm norm;
  private final Linear lmHead;
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
      RmsNorm inputLayernorm,
      Linear qkvProj,
      RmsNorm qNorm,
      RmsNorm kNorm,
      CausalAttention selfAttn,
      Linear oProj,
      RmsNorm postAttentionLayernorm,
      Linear gateUpProj,
      Activation hiddenAct,
      Linear downProj) {

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
        NormedSum middle = postAttentionLayernorm.withSum(x, stream, gateUpProj);
        Tensor gateUp = gateUpProj.forwardNarrow(middle.x());
        long width = gateUp.size(1) / 2;
        Tensor gated =
            Elementwise.gatedActivation(
                gateUp.slice(1, 0, width), gateUp.slice(1, width, 2 * width), hiddenAct);
        Tensor fed = downProj.forward(gated, stream.dtype());
        return next.withSum(fed, middle.sum(), reader).keptBy(scope);
      }
    }
  }

  Llama(Config config, Weights all) {
    Weights weights = all.body("model");
    String type = config.text("model_type", "llama");
    int hidden = config.positive("hidden_size");
    int positions = config.positive("max_position_embeddings", defaultLength(type));
    Map<String, Object> rope =
        type.equals("phi3") ? RopeConfig.ofPhi3(config) : RopeConfig.parameters(config);
    int switchLength = RopeConfig.switchLength(rope, positions);
    int heads = config.positive("num_attention_heads");
    int kvHeads = config.positiveUnlessNone("num_key_value_heads", kvHeads(config, heads), heads);
    if (heads % kvHeads != 0) {
      throw config.wrong("num_key_value_heads", "a divisor of the %d heads".formatted(heads));
    }
    int size =
        config.has("head_dim")
            ? config.positive("head_dim")
            : type.equals("qwen3")
                ? DEFAULT_HEAD_QWEN3
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
    double eps =
        config.eps("rms_norm_eps", config.text("model_type", "").equals("phi3") ? 1e-5 : 1e-6);
    int count = config.positive("num_hidden_layers");
    for (int i = 0; i < count; i++) {
      long window = SlidingWindow.of(config, type, i);
      layers.add(
          layer(
              config,
              type,
              weights.sub("layers." + i),
              i,
              attention.withWindow(window),
              hidden,
              eps));
    }
    norm = weights.rmsNorm("norm", hidden, 0, eps);
    lmHead = table.output(embedTokens);
    limits = new Limits((int) embedTokens.rows(), 0, positions, switchLength + positions, hidden);
    cacheShape =
        new KvCache.Shape(count, kvHeads, size, layers.getFirst().qkvProj.between())
            .withWindow(SlidingWindow.ofAll(config, type, count))
            .withSwitchLength(switchLength);
  }

  private static int defaultLength(String type) {
    return Map.of("llama", 2048, "mistral", 131072, "phi3", 4096).getOrDefault(type, 32768);
  }

  private static Layer layer(
      Config config,
      String type,
      Weights weights,
      int index,
      CausalAttention attention,
      int hidden,
      double eps) {
    boolean qwen2 = type.equals("qwen2");
    boolean bias = qwen2 || config.flag("attention_bias", false);
    boolean mlpBias = config.flag("mlp_bias", false);
    long q = (long) attention.heads() * attention.headSize();
    long kv = (long) attention.kvHeads() * attention.headSize();
    int intermediate = config.positive("intermediate_size");
    Weights self = weights.sub("self_attn");
    Weights mlp = weights.sub("mlp");
    boolean normed = type.equals("qwen3");
    Dropout residual = type.equals("phi3") ? config.dropout("resid_pdrop", 0) : Dropout.NONE;
    return new Layer(
        index,
        weights.rmsNorm("input_layernorm", hidden, 0, eps),
        self.has("qkv_proj.weight")
            ? self.linear("qkv_proj", q + 2 * kv, hidden, bias, Activation.NONE)
            : self.joined(
                hidden,
                new Loader.Layer("q_proj", q, bias),
                new Loader.Layer("k_proj", kv, bias),
                new Loader.Layer("v_proj", kv, bias)),
        normed ? self.rmsNorm("q_norm", attention.headSize(), 0, eps) : null,
        normed ? self.rmsNorm("k_norm", attention.headSize(), 0, eps) : null,
        attention,
        self.linear("o_proj", hidden, q, bias && !qwen2, Activation.NONE)
            .withOutputDropout(residual),
        weights.rmsNorm("post_attention_layernorm", hidden, 0, eps),
        mlp.has("gate_up_proj.weight")
            ? mlp.linear("gate_up_proj", 2L * intermediate, hidden, mlpBias, Activation.NONE)
            : mlp.joined(
                hidden,
                new Loader.Layer("gate_proj", intermediate, mlpBias),
                new Loader.Layer("up_proj", intermediate, mlpBias)),
        config.activation("hidden_act", "silu"),
        mlp.linear("down_proj", hidden, intermediate, mlpBias, Activation.NONE)
            .withOutputDropout(residual));
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
  public boolean isOtherHead(String name) {
    return name.equals("lm_head.weight")
        || name.startsWith("score.")
        || name.endsWith("rotary_emb.inv_freq");
  }

  /** The heads of keys where the configuration says nothing. */
  private static int kvHeads(Config config, int heads) {
    return switch (config.text("model_type", "")) {
      case "mistral" -> 8;
      case "qwen2", "qwen3" -> 32;
      default -> heads;
    };
  }
}
