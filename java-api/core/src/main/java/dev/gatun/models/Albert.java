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
 * ALBERT (Lan et al., arXiv 1909.11942): BERT's body whose layers share the weights of a few
 * groups, and whose embeddings are of another size, projected.
 */
final class Albert implements Encoder {
  private final Embedding wordEmbeddings;
  private final Embedding positionEmbeddings;
  private final Embedding tokenTypeEmbeddings;
  private final LayerNorm embeddingsNorm;
  private final Dropout dropout;
  private final Linear embeddingHiddenMappingIn;
  private final List<List<EncoderLayer>> albertLayerGroups = new ArrayList<>();
  private final int numHiddenLayers;
  private final HeadLayer head;
  private final int hiddenSize;

  Albert(Config config, Head head, Weights all) {
    Weights weights = all.body("albert");
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
        embeddings.embedding("token_type_embeddings", config.positive("type_vocab_size", 2), size);
    embeddingsNorm = embeddings.layerNorm("LayerNorm", size, eps);
    dropout = config.dropout("hidden_dropout_prob", 0);
    Weights encoder = weights.sub("encoder");
    embeddingHiddenMappingIn = encoder.linear("embedding_hidden_mapping_in", hidden, size);
    numHiddenLayers = config.positive("num_hidden_layers", 12);
    for (int g = 0; g < config.positive("num_hidden_groups", 1); g++) {
      List<EncoderLayer> group = new ArrayList<>();
      for (int i = 0; i < config.positive("inner_group_num", 1); i++) {
        String name = "albert_layer_groups.%d.albert_layers.%d".formatted(g, i);
        group.add(layer(config, encoder.sub(name), hidden, eps));
      }
      albertLayerGroups.add(group);
    }
    this.head = head(config, head, all, weights, hidden, size, eps);
  }

  private static TiedTable words(Config config, Weights all) {
    return new TiedTable(
        config, all, all.body("albert"), "embeddings.word_embeddings", "predictions.decoder", true);
  }

  private EncoderLayer layer(Config config, Weights weights, int hidden, double eps) {
    int intermediate = config.positive("intermediate_size");
    return new EncoderLayer(
        EncoderLayer.fused(
            weights.joined(hidden, hidden, "attention.query", "attention.key", "attention.value"),
            config.divisor("num_attention_heads", hidden),
            config.dropout("attention_probs_dropout_prob", 0)),
        weights.linear("attention.dense", hidden, hidden).withOutputDropout(dropout),
        weights.layerNorm("attention.LayerNorm", hidden, eps),
        weights.linear(
            "ffn", intermediate, hidden, true, config.activation("hidden_act", "gelu_new")),
        weights.linear("ffn_output", hidden, intermediate),
        weights.layerNorm("full_layer_layer_norm", hidden, eps));
  }

  private HeadLayer head(
      Config config, Head head, Weights all, Weights weights, int hidden, int size, double eps) {
    Dropout dropped = config.dropout("classifier_dropout_prob", 0.1);
    return switch (head) {
      case BASE -> Heads.base(weights.has("pooler.weight") ? pooler(weights, hidden) : null);
      case MASKED_LM -> maskedLm(config, all, hidden, size, eps);
      case PRE_TRAINING ->
          Heads.preTraining(
              maskedLm(config, all, hidden, size, eps),
              pooler(weights, hidden),
              Heads.classifier(all, "sop_classifier.classifier", config, hidden, dropped));
      case SEQUENCE_CLASSIFICATION ->
          Heads.sequence(
              config,
              pooler(weights, hidden),
              Heads.classifier(all, "classifier", config, hidden, dropped));
      case TOKEN_CLASSIFICATION ->
          Heads.tokens(Heads.classifier(all, "classifier", config, hidden, dropped));
      case QUESTION_ANSWERING -> Heads.spans(all.linear("qa_outputs", 2, hidden));
      default -> throw config.error("ALBERT has no head " + head);
    };
  }

  private static Linear pooler(Weights weights, int hidden) {
    return weights.linear("pooler", hidden, hidden, true, Activation.TANH);
  }

  private HeadLayer maskedLm(Config config, Weights all, int hidden, int size, double eps) {
    Weights predictions = all.sub("predictions");
    return Heads.maskedLm(
        predictions.linear(
            "dense", size, hidden, true, config.activation("hidden_act", "gelu_new")),
        predictions.layerNorm("LayerNorm", size, eps),
        words(config, all).output(wordEmbeddings, "predictions.bias"));
  }

  @Override
  public Tensor forward(TokenBatch batch, Trace trace) {
    Tensor x = wordEmbeddings.forward(batch.ids());
    x = tokenTypeEmbeddings.addTo(x, batch.types());
    x = positionEmbeddings.addTo(x, batch.positions());
    Tensor normed = dropout.forward(embeddingsNorm.forward(x));
    int inner = albertLayerGroups.getFirst().size();
    double each = (double) numHiddenLayers / albertLayerGroups.size();
    return trace.through(
        embeddingHiddenMappingIn.forward(normed, x.dtype()),
        numHiddenLayers * inner,
        (i, states) ->
            albertLayerGroups
                .get((int) (i / inner / each))
                .get(i % inner)
                .forward(states, batch, trace),
        last -> last);
  }

  @Override
  public HeadLayer head() {
    return head;
  }

  @Override
  public boolean isOtherHead(String name) {
    return name.endsWith("position_ids")
        || name.matches(
            "(albert\\.)?(pooler|predictions|sop_classifier|classifier|qa_outputs)\\..*");
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
