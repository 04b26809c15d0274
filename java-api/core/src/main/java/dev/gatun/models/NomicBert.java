package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.nn.RotaryPositionalEmbedding;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.Loader;
import java.util.ArrayList;
import java.util.List;

/**
 * NomicBERT (Nussbaum et al., arXiv 2402.01613): BERT's body with rotary positions, a gated
 * feed-forward network, and no biases in its layers. Nomic Embed v2 (arXiv 2502.07972) has biases,
 * no gates, and a mixture of experts in the place of every second of these networks.
 *
 * <p>Its configuration comes with BERT's names, as transformers writes it, and with GPT-2's, as the
 * first checkpoints were published.
 */
final class NomicBert implements Encoder {
  private final Embedding wordEmbeddings;
  private final Embedding tokenTypeEmbeddings;
  private final LayerNorm embLn;
  private final Dropout dropout;
  private final RotaryPositionalEmbedding rotary;
  private final List<EncoderLayer> layers = new ArrayList<>();
  private final HeadLayer head;

  NomicBert(Config given, Head head, Weights all) {
    NomicBertConfig settings = NomicBertConfig.of(given);
    Config config = settings.config();
    Weights weights = body(config, all);
    int hidden = config.positive("hidden_size");
    double eps = config.eps("layer_norm_eps", 1e-12);
    int heads = config.positive("num_attention_heads");
    int size = config.has("head_dim") ? config.positive("head_dim") : 0;
    if (size == 0) {
      size = hidden / config.divisor("num_attention_heads", hidden);
    }
    wordEmbeddings = words(config, all).embedding(config.positive("vocab_size"), hidden);
    int types = config.integer("type_vocab_size", 2);
    tokenTypeEmbeddings =
        types > 0 ? weights.embedding("embeddings.token_type_embeddings", types, hidden) : null;
    embLn = weights.layerNorm("emb_ln", hidden, eps);
    dropout = config.dropout("hidden_dropout_prob", 0);
    rotary =
        all.loader()
            .own(
                RotarySettings.embedding(
                    all.device(), config, size, config.positive("max_position_embeddings", 2048)));
    for (int i = 0; i < config.positive("num_hidden_layers"); i++) {
      Weights l = weights.sub("encoder.layers." + i);
      layers.add(layer(settings, l, i, hidden, heads, size, eps));
    }
    this.head = head(config, head, all, weights, hidden, eps);
  }

  /** Under the name that the file has, or else that the class of the configuration has. */
  private static Weights body(Config config, Weights all) {
    boolean isOld = config.has("n_embd") && !all.hasAny("nomic_bert");
    return all.body(isOld || all.hasAny("bert") ? "bert" : "nomic_bert");
  }

  private static TiedTable words(Config config, Weights all) {
    return new TiedTable(
        config,
        all,
        body(config, all),
        "embeddings.word_embeddings",
        "cls.predictions.decoder",
        true);
  }

  private EncoderLayer layer(
      NomicBertConfig settings,
      Weights weights,
      int index,
      int hidden,
      int heads,
      int size,
      double eps) {
    long width = Math.multiplyExact((long) heads, size);
    boolean bias = settings.attentionBias();
    return new EncoderLayer(
        new FusedAttention(
            weights.linear("attn.Wqkv", 3 * width, hidden, bias, Activation.NONE),
            heads,
            rotary,
            0,
            settings.config().dropout("attention_probs_dropout_prob", 0)),
        weights
            .linear("attn.out_proj", hidden, width, bias, Activation.NONE)
            .withOutputDropout(dropout),
        weights.layerNorm("norm1", hidden, eps),
        feedForward(settings, weights.sub("mlp"), index, hidden),
        weights.layerNorm("norm2", hidden, eps));
  }

  private FeedForward feedForward(NomicBertConfig settings, Weights mlp, int index, int hidden) {
    int inner = settings.config().positive("intermediate_size");
    Activation activation = settings.config().activation("hidden_act", "silu");
    NomicBertConfig.Experts experts = settings.experts();
    if (experts != null && experts.has(index)) {
      return NomicExperts.of(experts, mlp, hidden, inner, activation, dropout);
    }
    boolean bias = settings.wideBias();
    boolean gated = settings.gated();
    Linear narrow =
        mlp.linear("fc2", hidden, inner, settings.narrowBias(), Activation.NONE)
            .withOutputDropout(dropout);
    return new FeedForward.Dense(
        gated
            ? mlp.joined(
                hidden,
                new Loader.Layer("fc11", inner, bias),
                new Loader.Layer("fc12", inner, bias))
            : mlp.linear("fc1", inner, hidden, bias, activation),
        gated ? new Gate(activation, false) : null,
        narrow);
  }

  private HeadLayer head(
      Config config, Head head, Weights all, Weights weights, int hidden, double eps) {
    Dropout dropped = config.dropout("classifier_dropout", "hidden_dropout_prob", 0);
    return switch (head) {
      case BASE -> Heads.base(weights.has("pooler.dense.weight") ? pooler(weights, hidden) : null);
      // The class of the first checkpoints is named for pretraining, and scores words alone.
      case MASKED_LM, PRE_TRAINING -> {
        Weights predictions = all.sub("cls.predictions");
        boolean old = predictions.has("transform.LayerNorm.weight");
        yield Heads.maskedLm(
            predictions.linear(
                "transform.dense", hidden, hidden, true, config.activation("hidden_act", "silu")),
            predictions.layerNorm(
                old ? "transform.LayerNorm" : "transform.layer_norm", hidden, eps),
            words(config, all).output(wordEmbeddings, "cls.predictions.bias"));
      }
      case SEQUENCE_CLASSIFICATION ->
          Heads.sequence(
              config,
              pooler(weights, hidden),
              Heads.classifier(all, "classifier", config, hidden, dropped));
      case TOKEN_CLASSIFICATION ->
          Heads.tokens(Heads.classifier(all, "classifier", config, hidden, dropped));
      default -> throw config.error("NomicBERT has no head " + head);
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
    return trace.through(dropout.forward(embLn.forward(x)), layers, batch);
  }

  @Override
  public HeadLayer head() {
    return head;
  }

  @Override
  public boolean isOtherHead(String name) {
    return name.endsWith("position_ids")
        || name.endsWith("inv_freq")
        || name.matches("((nomic_)?bert\\.)?(pooler|cls|classifier)\\..*");
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
