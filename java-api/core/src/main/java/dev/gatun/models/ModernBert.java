package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.reduction.PoolingMode;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.nn.RotaryPositionalEmbedding;
import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/**
 * ModernBERT (Warner et al., arXiv 2412.13663): pre-norm layers with rotary positions and gated
 * feed-forward networks; in most layers a token sees its neighbours alone, and these turn by
 * frequencies of their own.
 *
 * <p>{@code sparse_prediction} saves work when losses are computed and changes no score that
 * counts; all scores are given here.
 */
final class ModernBert implements Encoder {
  private static final String GLOBAL = "full_attention";
  private static final String LOCAL = "sliding_attention";

  private final Embedding tokEmbeddings;
  private final LayerNorm norm;
  private final Dropout dropout;
  private final List<Layer> layers = new ArrayList<>();
  private final LayerNorm finalNorm;
  private final HeadLayer head;
  private final int maxLength;
  private final int reach;
  private final Tensor outside;

  /** A layer; the first one has no norm of its own before attention. */
  private record Layer(
      boolean isLocal,
      LayerNorm attnNorm,
      FusedAttention attn,
      Linear attnWo,
      LayerNorm mlpNorm,
      Linear mlpWi,
      Gate gate,
      Linear mlpWo) {
    /**
     * @param ownBias the bias of local layers where it takes the place of their window, or null
     */
    Tensor forward(Tensor hidden, TokenBatch batch, Tensor ownBias, Trace trace) {
      boolean own = isLocal && ownBias != null;
      try (Scope scope = Scope.open()) {
        Tensor normed = attnNorm == null ? hidden : attnNorm.forward(hidden);
        Tensor attended =
            attnWo.forward(
                (own ? attn.withoutWindow() : attn)
                    .forward(normed, batch, own ? ownBias : batch.paddingBias(), trace),
                hidden.dtype());
        trace.keep(scope);
        Tensor x = Elementwise.add(hidden, attended);
        Tensor wide = gate.forward(mlpWi.forwardNarrow(mlpNorm.forward(x)));
        return scope.keep(Elementwise.add(x, mlpWo.forward(wide, hidden.dtype())));
      }
    }
  }

  ModernBert(Config config, Head head, Weights all) {
    Weights weights = all.body("model");
    int hidden = config.positive("hidden_size");
    int heads = config.divisor("num_attention_heads", hidden);
    maxLength = config.positive("max_position_embeddings", 8192);
    reach = config.positive("local_attention", 128) / 2;
    tokEmbeddings = words(config, all).embedding(config.positive("vocab_size"), hidden);
    norm = norm(config, weights, "embeddings.norm", hidden);
    dropout = config.dropout("embedding_dropout", 0);
    List<String> types = layerTypes(config, config.positive("num_hidden_layers"));
    RotaryPositionalEmbedding global = rotary(config, all, types, GLOBAL, hidden / heads);
    RotaryPositionalEmbedding local = rotary(config, all, types, LOCAL, hidden / heads);
    for (int i = 0; i < types.size(); i++) {
      boolean isLocal = types.get(i).equals(LOCAL);
      Weights l = weights.sub("layers." + i);
      layers.add(layer(config, l, i, hidden, heads, isLocal, isLocal ? local : global));
    }
    finalNorm = norm(config, weights, "final_norm", hidden);
    // What hides a token that is too far is what hides padding.
    outside = all.loader().own(Tensor.of(all.device(), new float[] {0, -Float.MAX_VALUE}, 2, 1));
    this.head = head(config, head, all, hidden);
  }

  private static TiedTable words(Config config, Weights all) {
    return new TiedTable(
        config, all, all.body("model"), "embeddings.tok_embeddings", "decoder", true);
  }

  private Layer layer(
      Config config,
      Weights weights,
      int index,
      int hidden,
      int heads,
      boolean isLocal,
      RotaryPositionalEmbedding rotary) {
    int intermediate = config.positive("intermediate_size");
    boolean attentionBias = config.flag("attention_bias", false);
    boolean mlpBias = config.flag("mlp_bias", false);
    Dropout attention = config.dropout("attention_dropout", 0);
    return new Layer(
        isLocal,
        index == 0 ? null : norm(config, weights, "attn_norm", hidden),
        new FusedAttention(
            weights.linear("attn.Wqkv", 3L * hidden, hidden, attentionBias, Activation.NONE),
            heads,
            rotary,
            isLocal ? reach + 1 : 0,
            attention),
        weights
            .linear("attn.Wo", hidden, hidden, attentionBias, Activation.NONE)
            .withOutputDropout(attention),
        norm(config, weights, "mlp_norm", hidden),
        weights.linear("mlp.Wi", 2L * intermediate, hidden, mlpBias, Activation.NONE),
        new Gate(config.activation("hidden_activation", "gelu"), true),
        weights
            .linear("mlp.Wo", hidden, intermediate, mlpBias, Activation.NONE)
            .withInputDropout(config.dropout("mlp_dropout", 0)));
  }

  private static LayerNorm norm(Config config, Weights weights, String name, int hidden) {
    return weights.layerNorm(
        name, hidden, config.eps("norm_eps", 1e-5), config.flag("norm_bias", false));
  }

  /** What each layer's tokens see: {@code layer_types}, or every n-th layer all tokens. */
  private static List<String> layerTypes(Config config, int count) {
    List<String> types = config.texts("layer_types");
    if (types.isEmpty()) {
      int every = config.positive("global_attn_every_n_layers", 3);
      for (int i = 0; i < count; i++) {
        types.add(i % every == 0 ? GLOBAL : LOCAL);
      }
    }
    if (types.size() != count || !List.of(GLOBAL, LOCAL).containsAll(types)) {
      throw config.wrong(
          "layer_types", "%s or %s for each of %d layers".formatted(GLOBAL, LOCAL, count));
    }
    return types;
  }

  private RotaryPositionalEmbedding rotary(
      Config config, Weights all, List<String> types, String type, int size) {
    if (!types.contains(type)) {
      return null;
    }
    Map<String, Object> settings = new HashMap<>();
    boolean global = type.equals(GLOBAL);
    settings.put(
        "rope_theta",
        global
            ? config.decimal("global_rope_theta", 160000)
            : config.decimal("local_rope_theta", 10000));
    settings.putAll(config.map("rope_scaling"));
    if (config.map("rope_parameters").get(type) instanceof Map<?, ?> own) {
      own.forEach((key, value) -> settings.put((String) key, value));
    }
    return all.loader()
        .own(RotarySettings.embedding(all.device(), config, settings, size, maxLength));
  }

  private HeadLayer head(Config config, Head head, Weights all, int hidden) {
    if (head == Head.BASE) {
      return Heads.base(null);
    }
    Linear dense =
        all.linear(
            "head.dense",
            hidden,
            hidden,
            config.flag("classifier_bias", false),
            config.activation("classifier_activation", "gelu"));
    LayerNorm headNorm = norm(config, all, "head.norm", hidden);
    Dropout dropped = config.dropout("classifier_dropout", 0);
    UnaryOperator<Tensor> transform = x -> headNorm.forward(dense.forward(x));
    return switch (head) {
      case MASKED_LM ->
          Heads.maskedLm(
              dense,
              headNorm,
              words(config, all)
                  .output(
                      tokEmbeddings, config.flag("decoder_bias", true) ? "decoder.bias" : null));
      case SEQUENCE_CLASSIFICATION -> {
        Linear classifier = Heads.classifier(all, "classifier", config, hidden, dropped);
        yield Heads.sequence(config, pooling(config), x -> classifier.forward(transform.apply(x)));
      }
      case TOKEN_CLASSIFICATION -> {
        Linear classifier = Heads.classifier(all, "classifier", config, hidden, dropped);
        yield Heads.tokens(x -> classifier.forward(transform.apply(x)));
      }
      case QUESTION_ANSWERING -> {
        Linear classifier = all.linear("classifier", 2, hidden).withInputDropout(dropped);
        yield Heads.spans(x -> classifier.forward(transform.apply(x)));
      }
      default -> throw config.error("ModernBERT has no head " + head);
    };
  }

  private static PoolingMode pooling(Config config) {
    return switch (config.text("classifier_pooling", "cls")) {
      case "cls" -> PoolingMode.FIRST;
      case "mean" -> PoolingMode.MEAN;
      default -> throw config.wrong("classifier_pooling", "cls or mean");
    };
  }

  @Override
  public Tensor forward(TokenBatch batch, Trace trace) {
    Tensor localBias = hasOwnDistances(batch) ? localBias(batch) : null;
    return trace.through(
        dropout.forward(norm.forward(tokEmbeddings.forward(batch.ids()))),
        layers.size(),
        (i, states) -> layers.get(i).forward(states, batch, localBias, trace),
        finalNorm::forward);
  }

  /**
   * Whether packed tokens are not as far from each other as their positions are, or padding's own
   * scores are asked for: these see all tokens alike where a window leaves them none.
   */
  private static boolean hasOwnDistances(TokenBatch batch) {
    return !batch.isWithoutGaps() || batch.layout().hasPadding();
  }

  private Tensor localBias(TokenBatch batch) {
    try (Scope scope = Scope.open()) {
      Tensor distances = QueryKeyPairs.lookUp(batch, outside, this::isOutside);
      Tensor padding = batch.paddingBias();
      // Hidden twice is hidden once: the sum of both would be no number.
      return scope.keep(padding == null ? distances : Elementwise.minimum(distances, padding));
    }
  }

  private long isOutside(long distance) {
    return Math.abs(distance) > reach ? 1 : 0;
  }

  @Override
  public void prepare(TokenBatch batch) {
    if (hasOwnDistances(batch)) {
      QueryKeyPairs.prepare(batch, 2, this::isOutside);
    }
  }

  @Override
  public boolean readsDistances() {
    return true;
  }

  @Override
  public HeadLayer head() {
    return head;
  }

  @Override
  public boolean isOtherHead(String name) {
    return name.endsWith("inv_freq") || name.matches("(head|decoder|classifier)\\..*");
  }

  @Override
  public Limits limits() {
    return new Limits(
        (int) tokEmbeddings.rows(), 0, maxLength, maxLength, (int) tokEmbeddings.features());
  }
}
