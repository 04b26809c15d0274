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
 * ELECTRA (Clark et al., arXiv 2003.10555): BERT's body, its embeddings projected where they are of
 * another size; the discriminator tells which tokens a generator replaced.
 */
final class Electra implements Encoder {
  private final Embedding wordEmbeddings;
  private final Embedding positionEmbeddings;
  private final Embedding tokenTypeEmbeddings;
  private final LayerNorm embeddingsNorm;
  private final Dropout dropout;
  private final Linear embeddingsProject;
  private final List<EncoderLayer> layer = new ArrayList<>();
  private final HeadLayer head;
  private final int hiddenSize;

  Electra(Config config, Head head, Weights all) {
    Weights weights = all.body("electra");
    int hidden = config.positive("hidden_size");
    hiddenSize = hidden;
    int size = config.positive("embedding_size", 128);
    double eps = config.eps("layer_norm_eps", 1e-12);
    Weights embeddings = weights.sub("embeddings");
    wordEmbeddings = words(config, all).embedding(config.positive("vocab_size"), size);
    positionEmbeddings =
        embeddings.embedding(
            "position_embeddings", config.positive("max_position_embeddings", 512), size);
    tokenTypeEmbeddings =
        embeddings.embedding("token_type_embeddings", config.integer("type_vocab_size", 2), size);
    embeddingsNorm = embeddings.layerNorm("LayerNorm", size, eps);
    dropout = config.dropout("hidden_dropout_prob", 0.1);
    embeddingsProject = size == hidden ? null : weights.linear("embeddings_project", hidden, size);
    for (int i = 0; i < config.positive("num_hidden_layers"); i++) {
      layer.add(EncoderLayer.bert(config, weights.sub("encoder.layer." + i), hidden, eps));
    }
    this.head = head(config, head, all, hidden, size, eps);
  }

  private static TiedTable words(Config config, Weights all) {
    return new TiedTable(
        config, all, all.body("electra"), "embeddings.word_embeddings", "generator_lm_head", true);
  }

  private HeadLayer head(Config config, Head head, Weights all, int hidden, int size, double eps) {
    return switch (head) {
      case BASE -> Heads.base(null);
      case MASKED_LM ->
          Heads.maskedLm(
              all.linear("generator_predictions.dense", size, hidden, true, Activation.GELU),
              all.layerNorm("generator_predictions.LayerNorm", size, eps),
              words(config, all).output(wordEmbeddings, "generator_lm_head.bias"));
      case PRE_TRAINING ->
          Heads.replaced(
              all.linear(
                  "discriminator_predictions.dense",
                  hidden,
                  hidden,
                  true,
                  config.activation("hidden_act", "gelu")),
              all.linear("discriminator_predictions.dense_prediction", 1, hidden));
      case SEQUENCE_CLASSIFICATION ->
          Heads.sequence(
              config,
              all.linear("classifier.dense", hidden, hidden, true, Activation.GELU)
                  .withInputDropout(Heads.dropout(config)),
              Heads.classifier(all, "classifier.out_proj", config, hidden, Heads.dropout(config)));
      case TOKEN_CLASSIFICATION ->
          Heads.tokens(Heads.classifier(all, "classifier", config, hidden, Heads.dropout(config)));
      case QUESTION_ANSWERING -> Heads.spans(all.linear("qa_outputs", 2, hidden));
      default -> throw config.error("ELECTRA has no head " + head);
    };
  }

  @Override
  public Tensor forward(TokenBatch batch, Trace trace) {
    Tensor x = wordEmbeddings.forward(batch.ids());
    x = tokenTypeEmbeddings.addTo(x, batch.types());
    x = positionEmbeddings.addTo(x, batch.positions());
    x = dropout.forward(embeddingsNorm.forward(x));
    return trace.through(
        embeddingsProject == null ? x : embeddingsProject.forward(x, x.dtype()), layer, batch);
  }

  @Override
  public HeadLayer head() {
    return head;
  }

  @Override
  public boolean isOtherHead(String name) {
    return name.endsWith("position_ids")
        || name.matches(
            "(generator_predictions|generator_lm_head|discriminator_predictions|classifier"
                + "|qa_outputs)\\..*");
  }

  @Override
  public Limits limits() {
    int positions = (int) positionEmbeddings.rows();
    return new Limits(
        (int) wordEmbeddings.rows(),
        (int) tokenTypeEmbeddings.rows(),
        positions,
        positions,
        hiddenSize);
  }
}
