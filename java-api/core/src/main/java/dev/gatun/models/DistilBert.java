package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.LayerNorm;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/** DistilBERT (Sanh et al., arXiv 1910.01108): a smaller BERT without segments. */
final class DistilBert implements Encoder {
  // Not in the configuration: the reference implementation fixes it.
  private static final double EPS = 1e-12;

  private final Embedding wordEmbeddings;
  private final Embedding positionEmbeddings;
  private final LayerNorm embeddingsNorm;
  private final Dropout dropout;
  private final List<EncoderLayer> layer = new ArrayList<>();
  private final HeadLayer head;

  DistilBert(Config config, Head head, Weights all) {
    Weights weights = all.body("distilbert");
    int dim = config.positive("dim");
    int hiddenDim = config.positive("hidden_dim");
    Activation activation = config.activation("activation", "gelu");
    Weights embeddings = weights.sub("embeddings");
    wordEmbeddings = words(config, all).embedding(config.positive("vocab_size"), dim);
    positionEmbeddings =
        embeddings.embedding(
            "position_embeddings", config.positive("max_position_embeddings", 512), dim);
    embeddingsNorm = embeddings.layerNorm("LayerNorm", dim, EPS);
    dropout = config.dropout("dropout", 0.1);
    for (int i = 0; i < config.positive("n_layers"); i++) {
      Weights l = weights.sub("transformer.layer." + i);
      layer.add(
          new EncoderLayer(
              EncoderLayer.fused(
                  l.joined(dim, dim, "attention.q_lin", "attention.k_lin", "attention.v_lin"),
                  config.divisor("n_heads", dim),
                  config.dropout("attention_dropout", 0.1)),
              l.linear("attention.out_lin", dim, dim),
              l.layerNorm("sa_layer_norm", dim, EPS),
              l.linear("ffn.lin1", hiddenDim, dim, true, activation),
              l.linear("ffn.lin2", dim, hiddenDim).withOutputDropout(dropout),
              l.layerNorm("output_layer_norm", dim, EPS)));
    }
    this.head = head(config, head, all, dim, activation);
  }

  private static TiedTable words(Config config, Weights all) {
    return new TiedTable(
        config, all, all.body("distilbert"), "embeddings.word_embeddings", "vocab_projector", true);
  }

  private HeadLayer head(Config config, Head head, Weights all, int dim, Activation activation) {
    return switch (head) {
      case BASE -> Heads.base(null);
      case MASKED_LM ->
          Heads.maskedLm(
              all.linear("vocab_transform", dim, dim, true, activation),
              all.layerNorm("vocab_layer_norm", dim, EPS),
              words(config, all).output(wordEmbeddings, "vocab_projector.bias"));
      case SEQUENCE_CLASSIFICATION ->
          Heads.sequence(
              config,
              all.linear("pre_classifier", dim, dim, true, Activation.RELU),
              Heads.classifier(
                  all, "classifier", config, dim, config.dropout("seq_classif_dropout", 0.2)));
      case TOKEN_CLASSIFICATION ->
          Heads.tokens(Heads.classifier(all, "classifier", config, dim, dropout));
      case QUESTION_ANSWERING ->
          Heads.spans(
              all.linear("qa_outputs", 2, dim).withInputDropout(config.dropout("qa_dropout", 0.1)));
      default -> throw config.error("DistilBERT has no head " + head);
    };
  }

  @Override
  public Tensor forward(TokenBatch batch, Trace trace) {
    Tensor x = wordEmbeddings.forward(batch.ids());
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
        || name.matches(
            "(vocab_transform|vocab_layer_norm|vocab_projector|pre_classifier|classifier"
                + "|qa_outputs)\\..*");
  }

  @Override
  public Limits limits() {
    int positions = (int) positionEmbeddings.rows();
    return new Limits(
        (int) wordEmbeddings.rows(), 0, positions, positions, (int) wordEmbeddings.features());
  }

  /** A new table's number at a place: sines and cosines in turn (arXiv 1706.03762, 3.5). */
  static float sine(long place, long features) {
    long feature = place % features;
    double angle = place / features / Math.pow(10_000, (feature - feature % 2) / (double) features);
    return (float) (feature % 2 == 0 ? Math.sin(angle) : Math.cos(angle));
  }
}
