package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.LayerNorm;
import dev.gatun.ops.Ops;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** DistilBERT (Sanh et al., arXiv 1910.01108): a smaller BERT without segments. */
public final class DistilBert extends EncoderModel {
  // Not in the configuration: the reference implementation fixes it.
  private static final double EPS = 1e-12;

  private final Tensor wordEmbeddings;
  private final Tensor positionEmbeddings;
  private final LayerNorm embeddingsNorm;
  private final List<EncoderLayer> layer = new ArrayList<>();

  DistilBert(Config config, Head head, Weights all) {
    super(config, head, all.device());
    Weights weights = all.body("distilbert");
    int dim = config.positive("dim");
    int hiddenDim = config.positive("hidden_dim");
    Activation activation = config.activation("activation", "gelu");
    Weights embeddings = weights.sub("embeddings");
    wordEmbeddings = embeddings.take("word_embeddings.weight", config.positive("vocab_size"), dim);
    positionEmbeddings =
        embeddings.take(
            "position_embeddings.weight", config.positive("max_position_embeddings", 512), dim);
    embeddingsNorm = embeddings.layerNorm("LayerNorm", dim, EPS);
    for (int i = 0; i < config.positive("n_layers"); i++) {
      Weights l = weights.sub("transformer.layer." + i);
      layer.add(
          new EncoderLayer(
              EncoderLayer.fused(
                  l.joined(dim, dim, "attention.q_lin", "attention.k_lin", "attention.v_lin"),
                  config.divisor("n_heads", dim)),
              l.linear("attention.out_lin", dim, dim),
              l.layerNorm("sa_layer_norm", dim, EPS),
              l.linear("ffn.lin1", hiddenDim, dim, true, activation),
              l.linear("ffn.lin2", dim, hiddenDim),
              l.layerNorm("output_layer_norm", dim, EPS)));
    }
    own(
        head(config, head, all, dim, activation),
        all,
        name ->
            name.endsWith("position_ids")
                || name.matches(
                    "(vocab_transform|vocab_layer_norm|vocab_projector|pre_classifier|classifier"
                        + "|qa_outputs)\\..*"));
  }

  private HeadLayer head(Config config, Head head, Weights all, int dim, Activation activation) {
    return switch (head) {
      case BASE -> Heads.base(null);
      case MASKED_LM ->
          Heads.maskedLm(
              all.linear("vocab_transform", dim, dim, true, activation),
              all.layerNorm("vocab_layer_norm", dim, EPS),
              all.tied(wordEmbeddings, "vocab_projector.bias"));
      case SEQUENCE_CLASSIFICATION ->
          Heads.sequence(
              config,
              all.linear("pre_classifier", dim, dim, true, Activation.RELU),
              Heads.classifier(all, "classifier", config, dim));
      case TOKEN_CLASSIFICATION -> Heads.tokens(Heads.classifier(all, "classifier", config, dim));
      case QUESTION_ANSWERING -> Heads.spans(all.linear("qa_outputs", 2, dim));
      default -> throw config.error("DistilBERT has no head " + head);
    };
  }

  @Override
  Tensor embed(PackedBatch batch) {
    Tensor x = Ops.embedding(wordEmbeddings, ids(batch.ids()));
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
    return 0;
  }

  @Override
  public int vocabSize() {
    return (int) wordEmbeddings.size(0);
  }
}
