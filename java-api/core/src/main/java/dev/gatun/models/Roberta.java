package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.LayerNorm;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * RoBERTa (Liu et al., arXiv 1907.11692) and XLM-RoBERTa (arXiv 1911.02116): BERT's body; positions
 * count the tokens that are not padding, from one past the padding's id.
 */
final class Roberta implements Encoder {
  private final Embedding wordEmbeddings;
  private final Embedding positionEmbeddings;
  private final Embedding tokenTypeEmbeddings;
  private final LayerNorm embeddingsNorm;
  private final Dropout dropout;
  private final List<EncoderLayer> layer = new ArrayList<>();
  private final HeadLayer head;
  private final int padId;

  Roberta(Config config, Head head, Weights all) {
    Weights weights = all.body("roberta");
    int hidden = config.positive("hidden_size");
    double eps = config.eps("layer_norm_eps", 1e-12);
    padId = config.integer("pad_token_id", 1);
    Weights embeddings = weights.sub("embeddings");
    wordEmbeddings = words(config, all).embedding(config.positive("vocab_size"), hidden);
    positionEmbeddings =
        embeddings.embedding(
            "position_embeddings", config.positive("max_position_embeddings", 512), hidden);
    tokenTypeEmbeddings =
        embeddings.embedding("token_type_embeddings", config.integer("type_vocab_size", 2), hidden);
    if (padId < 0 || limits().length() < 1) {
      throw config.error(
          "'pad_token_id' is %d, expected 0 to %d: positions begin one past it"
              .formatted(padId, positionEmbeddings.rows() - 2));
    }
    embeddingsNorm = embeddings.layerNorm("LayerNorm", hidden, eps);
    dropout = config.dropout("hidden_dropout_prob", 0.1);
    for (int i = 0; i < config.positive("num_hidden_layers"); i++) {
      layer.add(EncoderLayer.bert(config, weights.sub("encoder.layer." + i), hidden, eps));
    }
    this.head = head(config, head, all, weights, hidden, eps);
  }

  private static TiedTable words(Config config, Weights all) {
    return new TiedTable(
        config, all, all.body("roberta"), "embeddings.word_embeddings", "lm_head.decoder", true);
  }

  private HeadLayer head(
      Config config, Head head, Weights all, Weights weights, int hidden, double eps) {
    return switch (head) {
      case BASE ->
          Heads.base(
              weights.has("pooler.dense.weight")
                  ? weights.linear("pooler.dense", hidden, hidden, true, Activation.TANH)
                  : null);
      case MASKED_LM ->
          Heads.maskedLm(
              all.linear("lm_head.dense", hidden, hidden, true, Activation.GELU),
              all.layerNorm("lm_head.layer_norm", hidden, eps),
              words(config, all).output(wordEmbeddings, "lm_head.bias"));
      case SEQUENCE_CLASSIFICATION ->
          Heads.sequence(
              config,
              all.linear("classifier.dense", hidden, hidden, true, Activation.TANH)
                  .withInputDropout(Heads.dropout(config)),
              Heads.classifier(all, "classifier.out_proj", config, hidden, Heads.dropout(config)));
      case TOKEN_CLASSIFICATION ->
          Heads.tokens(Heads.classifier(all, "classifier", config, hidden, Heads.dropout(config)));
      case QUESTION_ANSWERING -> Heads.spans(all.linear("qa_outputs", 2, hidden));
      default -> throw config.error("RoBERTa has no head " + head);
    };
  }

  @Override
  public Tensor forward(TokenBatch batch, Trace trace) {
    Tensor x = wordEmbeddings.forward(batch.ids());
    x = tokenTypeEmbeddings.addTo(x, batch.types());
    x = positionEmbeddings.addTo(x, batch.positions());
    return trace.through(dropout.forward(embeddingsNorm.forward(x)), layer, batch);
  }

  @Override
  public long[] positions(BatchLayout layout) {
    return layout.positionsWithoutPadding(padId);
  }

  @Override
  public HeadLayer head() {
    return head;
  }

  @Override
  public boolean isOtherHead(String name) {
    return name.endsWith("position_ids")
        || name.matches("(roberta\\.)?(pooler|lm_head|classifier|qa_outputs)\\..*");
  }

  @Override
  public Limits limits() {
    int positions = (int) positionEmbeddings.rows();
    return new Limits(
        (int) wordEmbeddings.rows(),
        (int) tokenTypeEmbeddings.rows(),
        positions - padId - 1,
        positions,
        (int) wordEmbeddings.features());
  }
}
