package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * BERT (Devlin et al., arXiv 1810.04805): an encoder whose tokens see both ways, with learned
 * positions and segments.
 */
final class Bert implements Encoder {
  private final Embedding wordEmbeddings;
  private final Embedding positionEmbeddings;
  private final Embedding tokenTypeEmbeddings;
  private final LayerNorm embeddingsNorm;
  private final Dropout dropout;
  private final List<EncoderLayer> layer;
  private final HeadLayer head;

  Bert(Config config, Head head, Weights all) {
    Weights weights = all.body("bert");
    int hidden = config.positive("hidden_size");
    double eps = config.eps("layer_norm_eps", 1e-12);
    Weights embeddings = weights.sub("embeddings");
    wordEmbeddings = words(config, all).embedding(config.positive("vocab_size"), hidden);
    positionEmbeddings =
        embeddings.embedding(
            "position_embeddings", config.positive("max_position_embeddings", 512), hidden);
    int types = config.integer("type_vocab_size", 2);
    // GGUF has DistilBERT, which has none, as BERT.
    tokenTypeEmbeddings =
        types == 0 ? null : embeddings.embedding("token_type_embeddings", types, hidden);
    embeddingsNorm = embeddings.layerNorm("LayerNorm", hidden, eps);
    dropout = config.dropout("hidden_dropout_prob", 0.1);
    layer = layers(config, weights.sub("encoder"), hidden, eps);
    this.head = head(config, head, all, weights, hidden, eps);
  }

  private static TiedTable words(Config config, Weights all) {
    return new TiedTable(
        config,
        all,
        all.body("bert"),
        "embeddings.word_embeddings",
        "cls.predictions.decoder",
        true);
  }

  /** The layers under {@code layer.N}, as BERT's and its near relatives' files name them. */
  private static List<EncoderLayer> layers(Config config, Weights weights, int hidden, double eps) {
    List<EncoderLayer> layers = new ArrayList<>();
    for (int i = 0; i < config.positive("num_hidden_layers"); i++) {
      layers.add(EncoderLayer.bert(config, weights.sub("layer." + i), hidden, eps));
    }
    return layers;
  }

  private HeadLayer head(
      Config config, Head head, Weights all, Weights weights, int hidden, double eps) {
    return switch (head) {
      case BASE -> Heads.base(weights.has("pooler.dense.weight") ? pooler(weights, hidden) : null);
      case MASKED_LM -> maskedLm(config, all, hidden, eps);
      case NEXT_SENTENCE_PREDICTION ->
          Heads.nextSentence(
              pooler(weights, hidden), all.linear("cls.seq_relationship", 2, hidden));
      case PRE_TRAINING ->
          Heads.preTraining(
              maskedLm(config, all, hidden, eps),
              pooler(weights, hidden),
              all.linear("cls.seq_relationship", 2, hidden));
      case SEQUENCE_CLASSIFICATION ->
          Heads.sequence(
              config,
              pooler(weights, hidden),
              Heads.classifier(all, "classifier", config, hidden, Heads.dropout(config)));
      case TOKEN_CLASSIFICATION ->
          Heads.tokens(Heads.classifier(all, "classifier", config, hidden, Heads.dropout(config)));
      case QUESTION_ANSWERING -> Heads.spans(all.linear("qa_outputs", 2, hidden));
    };
  }

  private static Linear pooler(Weights weights, int hidden) {
    return weights.linear("pooler.dense", hidden, hidden, true, Activation.TANH);
  }

  private HeadLayer maskedLm(Config config, Weights all, int hidden, double eps) {
    Weights predictions = all.sub("cls.predictions");
    return Heads.maskedLm(
        predictions.linear(
            "transform.dense", hidden, hidden, true, config.activation("hidden_act", "gelu")),
        predictions.layerNorm("transform.LayerNorm", hidden, eps),
        words(config, all).output(wordEmbeddings, "cls.predictions.bias"));
  }

  @Override
  public Tensor forward(TokenBatch batch, Trace trace) {
    Tensor x = wordEmbeddings.forward(batch.ids());
    if (tokenTypeEmbeddings != null) {
      x = tokenTypeEmbeddings.addTo(x, batch.types());
    }
    x = positionEmbeddings.addTo(x, batch.positions());
    return trace.through(dropout.forward(embeddingsNorm.forward(x)), layer, batch);
  }

  @Override
  public HeadLayer head() {
    return head;
  }

  @Override
  public boolean isOtherHead(String name) {
    return name.endsWith("position_ids")
        || name.matches("(bert\\.)?(pooler|cls|classifier|qa_outputs)\\..*");
  }

  @Override
  public Limits limits() {
    int positions = (int) positionEmbeddings.rows();
    return new Limits(
        (int) wordEmbeddings.rows(),
        tokenTypeEmbeddings == null ? 0 : (int) tokenTypeEmbeddings.rows(),
        positions,
        positions,
        (int) wordEmbeddings.features());
  }
}
