package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.LayerNorm;
import dev.gatun.ops.Ops;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * RoBERTa (Liu et al., arXiv 1907.11692) and XLM-RoBERTa (arXiv 1911.02116): BERT's body; positions
 * count the tokens that are not padding, from one past the padding's id.
 */
public final class Roberta extends EncoderModel {
  private final Tensor wordEmbeddings;
  private final Tensor positionEmbeddings;
  private final Tensor tokenTypeEmbeddings;
  private final LayerNorm embeddingsNorm;
  private final List<EncoderLayer> layer = new ArrayList<>();
  private final int padId;

  Roberta(Config config, Head head, Weights all) {
    super(config, head, all.device());
    Weights weights = all.body("roberta");
    int hidden = config.positive("hidden_size");
    double eps = config.eps("layer_norm_eps", 1e-5);
    padId = config.integer("pad_token_id", 1);
    Weights embeddings = weights.sub("embeddings");
    wordEmbeddings =
        embeddings.take("word_embeddings.weight", config.positive("vocab_size"), hidden);
    positionEmbeddings =
        embeddings.take(
            "position_embeddings.weight", config.positive("max_position_embeddings", 512), hidden);
    tokenTypeEmbeddings =
        embeddings.take(
            "token_type_embeddings.weight", config.integer("type_vocab_size", 1), hidden);
    if (padId < 0 || maxLength() < 1) {
      throw config.error(
          "'pad_token_id' is %d, expected 0 to %d: positions begin one past it"
              .formatted(padId, positionEmbeddings.size(0) - 2));
    }
    embeddingsNorm = embeddings.layerNorm("LayerNorm", hidden, eps);
    for (int i = 0; i < config.positive("num_hidden_layers"); i++) {
      layer.add(EncoderLayer.bert(config, weights.sub("encoder.layer." + i), hidden, eps));
    }
    own(
        head(config, head, all, weights, hidden, eps),
        all,
        name ->
            name.endsWith("position_ids")
                || name.matches("(roberta\\.)?(pooler|lm_head|classifier|qa_outputs)\\..*"));
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
              all.tied(wordEmbeddings, "lm_head.bias"));
      case SEQUENCE_CLASSIFICATION ->
          Heads.sequence(
              config,
              all.linear("classifier.dense", hidden, hidden, true, Activation.TANH),
              Heads.classifier(all, "classifier.out_proj", config, hidden));
      case TOKEN_CLASSIFICATION ->
          Heads.tokens(Heads.classifier(all, "classifier", config, hidden));
      case QUESTION_ANSWERING -> Heads.spans(all.linear("qa_outputs", 2, hidden));
      default -> throw config.error("RoBERTa has no head " + head);
    };
  }

  @Override
  Tensor embed(PackedBatch batch) {
    Tensor x = Ops.embedding(wordEmbeddings, ids(batch.ids()));
    Ops.addEmbedding(x, tokenTypeEmbeddings, ids(batch.typeIds()));
    Ops.addEmbedding(x, positionEmbeddings, ids(positions(batch)));
    return embeddingsNorm.forward(x);
  }

  private long[] positions(PackedBatch batch) {
    long[] positions = new long[batch.tokens()];
    for (int s = 0; s < batch.offsets().sequences(); s++) {
      long next = padId;
      int start = batch.offsets().start(s);
      for (int i = start; i < start + batch.offsets().length(s); i++) {
        positions[i] = batch.ids()[i] == padId ? padId : ++next;
      }
    }
    return positions;
  }

  @Override
  List<EncoderLayer> layers() {
    return layer;
  }

  @Override
  public int maxLength() {
    return (int) positionEmbeddings.size(0) - padId - 1;
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
