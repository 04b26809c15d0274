package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.ops.Ops;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * BERT (Devlin et al., arXiv 1810.04805): an encoder whose tokens see both ways, with learned
 * positions and segments.
 */
public final class Bert extends EncoderModel {
  private final Tensor wordEmbeddings;
  private final Tensor positionEmbeddings;
  private final Tensor tokenTypeEmbeddings;
  private final LayerNorm embeddingsNorm;
  private final List<EncoderLayer> layer;

  Bert(Config config, Head head, Weights all) {
    super(config, head, all.device());
    Weights weights = all.body("bert");
    int hidden = config.positive("hidden_size");
    double eps = config.eps("layer_norm_eps", 1e-12);
    Weights embeddings = weights.sub("embeddings");
    wordEmbeddings =
        embeddings.take("word_embeddings.weight", config.positive("vocab_size"), hidden);
    positionEmbeddings =
        embeddings.take(
            "position_embeddings.weight", config.positive("max_position_embeddings", 512), hidden);
    tokenTypeEmbeddings =
        embeddings.take(
            "token_type_embeddings.weight", config.integer("type_vocab_size", 2), hidden);
    embeddingsNorm = embeddings.layerNorm("LayerNorm", hidden, eps);
    layer = layers(config, weights.sub("encoder"), hidden, eps);
    own(
        head(config, head, all, weights, hidden, eps),
        all,
        name ->
            name.endsWith("position_ids")
                || name.matches("(bert\\.)?(pooler|cls|classifier|qa_outputs)\\..*"));
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
              config, pooler(weights, hidden), Heads.classifier(all, "classifier", config, hidden));
      case TOKEN_CLASSIFICATION ->
          Heads.tokens(Heads.classifier(all, "classifier", config, hidden));
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
        predictions.tied(wordEmbeddings, "bias"));
  }

  @Override
  Tensor embed(PackedBatch batch) {
    Tensor x = Ops.embedding(wordEmbeddings, ids(batch.ids()));
    Ops.addEmbedding(x, tokenTypeEmbeddings, ids(batch.typeIds()));
    Ops.addEmbedding(x, positionEmbeddings, ids(batch.positions()));
    return embeddingsNorm.forward(x);
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
