package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.nn.RotaryPositionalEmbedding;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * GTE (Zhang et al., arXiv 2407.19669), an encoder of long texts in many languages: BERT's body
 * with rotary positions and a gated feed-forward network.
 *
 * <p>Its configuration comes with the {@code model_type} "gte" of transformers, and with "new", as
 * the first checkpoints were published.
 */
final class Gte implements Encoder {
  private final Embedding wordEmbeddings;
  private final Embedding tokenTypeEmbeddings;
  private final LayerNorm embeddingsNorm;
  private final Dropout dropout;
  private final RotaryPositionalEmbedding rotary;
  private final List<EncoderLayer> layer = new ArrayList<>();
  private final HeadLayer head;

  Gte(Config given, Head head, Weights all) {
    Config config = GteConfig.of(given);
    Weights weights = body(config, all);
    int hidden = config.positive("hidden_size");
    double eps = config.eps("layer_norm_eps", 1e-12);
    int heads = config.divisor("num_attention_heads", hidden);
    Weights embeddings = weights.sub("embeddings");
    wordEmbeddings = words(config, all).embedding(config.positive("vocab_size"), hidden);
    int types = config.integer("type_vocab_size", 1);
    tokenTypeEmbeddings =
        types > 0 ? embeddings.embedding("token_type_embeddings", types, hidden) : null;
    embeddingsNorm = embeddings.layerNorm("LayerNorm", hidden, eps);
    dropout = config.dropout("hidden_dropout_prob", 0.1);
    rotary =
        all.loader()
            .own(
                RotarySettings.embedding(
                    all.device(),
                    config,
                    GteConfig.rotary(config, hidden / heads),
                    hidden / heads,
                    config.positive("max_position_embeddings", 8192)));
    for (int i = 0; i < config.positive("num_hidden_layers"); i++) {
      layer.add(layer(config, weights.sub("encoder.layer." + i), hidden, heads, eps));
    }
    this.head = head(config, head, all, weights, hidden, eps);
  }

  /** Under the name that the file has, or else that the class of the configuration has. */
  private static Weights body(Config config, Weights all) {
    boolean isOld = config.text("model_type", "").equals("new") && !all.hasAny("gte");
    return all.body(isOld || all.hasAny("new") ? "new" : "gte");
  }

  private static TiedTable words(Config config, Weights all) {
    return new TiedTable(
        config, all, body(config, all), "embeddings.word_embeddings", "lm_head.decoder", true);
  }

  private EncoderLayer layer(Config config, Weights weights, int hidden, int heads, double eps) {
    int intermediate = config.positive("intermediate_size");
    return new EncoderLayer(
        new FusedAttention(
            weights.linear("attention.qkv_proj", 3L * hidden, hidden),
            heads,
            rotary,
            0,
            config.dropout("attention_probs_dropout_prob", 0)),
        weights.linear("attention.o_proj", hidden, hidden).withOutputDropout(dropout),
        weights.layerNorm("attn_ln", hidden, eps),
        new FeedForward.Dense(
            weights.linear("mlp.up_gate_proj", 2L * intermediate, hidden, false, Activation.NONE),
            new Gate(config.activation("hidden_act", "gelu"), false),
            weights
                .linear("mlp.down_proj", hidden, intermediate)
                .withInputDropout(dropout)
                .withOutputDropout(dropout)),
        weights.layerNorm("mlp_ln", hidden, eps));
  }

  private HeadLayer head(
      Config config, Head head, Weights all, Weights weights, int hidden, double eps) {
    return switch (head) {
      case BASE -> Heads.base(weights.has("pooler.dense.weight") ? pooler(weights, hidden) : null);
      case MASKED_LM ->
          Heads.maskedLm(
              all.linear("lm_head.dense", hidden, hidden, true, Activation.GELU),
              all.layerNorm("lm_head.norm", hidden, eps),
              words(config, all).output(wordEmbeddings, "lm_head.decoder.bias"));
      case SEQUENCE_CLASSIFICATION ->
          Heads.sequence(
              config,
              pooler(weights, hidden),
              Heads.classifier(all, "classifier", config, hidden, Heads.dropout(config)));
      case TOKEN_CLASSIFICATION ->
          Heads.tokens(Heads.classifier(all, "classifier", config, hidden, Heads.dropout(config)));
      default -> throw config.error("GTE has no head " + head);
    };
  }

  private static Linear pooler(Weights weights, int hidden) {
    return weights.linear("pooler.dense", hidden, hidden, true, Activation.TANH);
  }

  @Override
  public Tensor forward(TokenBatch batch, Trace trace) {
    Tensor x = wordEmbeddings.forward(batch.ids());
    if (tokenTypeEmbeddings != null) {
      x = tokenTypeEmbeddings.addTo(x, batch.types());
    }
    return trace.through(dropout.forward(embeddingsNorm.forward(x)), layer, batch);
  }

  @Override
  public HeadLayer head() {
    return head;
  }

  @Override
  public boolean isOtherHead(String name) {
    return name.endsWith("position_ids")
        || name.endsWith("inv_freq")
        || name.matches("((gte|new)\\.)?(pooler|lm_head|classifier)\\..*");
  }

  @Override
  public Limits limits() {
    int positions = (int) rotary.cosine().size(0);
    return new Limits(
        (int) wordEmbeddings.rows(),
        tokenTypeEmbeddings == null ? 0 : (int) tokenTypeEmbeddings.rows(),
        positions,
        positions,
        (int) wordEmbeddings.features());
  }
}
