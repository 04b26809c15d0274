package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.ops.Ops;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * ELECTRA (Clark et al., arXiv 2003.10555): BERT's body, its embeddings projected where they are of
 * another size; the discriminator tells which tokens a generator replaced.
 */
public final class Electra extends EncoderModel {
  private final Tensor wordEmbeddings;
  private final Tensor positionEmbeddings;
  private final Tensor tokenTypeEmbeddings;
  private final LayerNorm embeddingsNorm;
  private final Linear embeddingsProject;
  private final List<EncoderLayer> layer = new ArrayList<>();

  Electra(Config config, Head head, Weights all) {
    super(config, head, all.device());
    Weights weights = all.body("electra");
    int hidden = config.positive("hidden_size");
    int size = config.positive("embedding_size", 128);
    double eps = config.eps("layer_norm_eps", 1e-12);
    Weights embeddings = weights.sub("embeddings");
    wordEmbeddings = embeddings.take("word_embeddings.weight", config.positive("vocab_size"), size);
    positionEmbeddings =
        embeddings.take(
            "position_embeddings.weight", config.positive("max_position_embeddings", 512), size);
    tokenTypeEmbeddings =
        embeddings.take("token_type_embeddings.weight", config.integer("type_vocab_size", 2), size);
    embeddingsNorm = embeddings.layerNorm("LayerNorm", size, eps);
    embeddingsProject = size == hidden ? null : weights.linear("embeddings_project", hidden, size);
    for (int i = 0; i < config.positive("num_hidden_layers"); i++) {
      layer.add(EncoderLayer.bert(config, weights.sub("encoder.layer." + i), hidden, eps));
    }
    own(
        head(config, head, all, hidden, size, eps),
        all,
        name ->
            name.endsWith("position_ids")
                || name.matches(
                    "(generator_predictions|generator_lm_head|discriminator_predictions|classifier"
                        + "|qa_outputs)\\..*"));
  }

  private HeadLayer head(Config config, Head head, Weights all, int hidden, int size, double eps) {
    return switch (head) {
      case BASE -> Heads.base(null);
      case MASKED_LM ->
          Heads.maskedLm(
              all.linear("generator_predictions.dense", size, hidden, true, Activation.GELU),
              all.layerNorm("generator_predictions.LayerNorm", size, eps),
              all.tied(wordEmbeddings, "generator_lm_head.bias"));
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
              all.linear("classifier.dense", hidden, hidden, true, Activation.GELU),
              Heads.classifier(all, "classifier.out_proj", config, hidden));
      case TOKEN_CLASSIFICATION ->
          Heads.tokens(Heads.classifier(all, "classifier", config, hidden));
      case QUESTION_ANSWERING -> Heads.spans(all.linear("qa_outputs", 2, hidden));
      default -> throw config.error("ELECTRA has no head " + head);
    };
  }

  @Override
  Tensor embed(PackedBatch batch) {
    Tensor x = Ops.embedding(wordEmbeddings, ids(batch.ids()));
    Ops.addEmbedding(x, tokenTypeEmbeddings, ids(batch.typeIds()));
    Ops.addEmbedding(x, positionEmbeddings, ids(batch.positions()));
    x = embeddingsNorm.forward(x);
    return embeddingsProject == null ? x : embeddingsProject.forward(x);
  }

  @Override
  List<EncoderLayer> layers() {
    return layer;
  }

  @Override
  public int maxLength() {
    return (int) positionEmbeddings.size(0);
  }

  @Override
  int typeCount() {
    return (int) tokenTypeEmbeddings.size(0);
  }

  @Override
  public int vocabSize() {
    return (int) wordEmbeddings.size(0);
  }
}
