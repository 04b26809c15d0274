package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.LayerNorm;
import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * MPNet (Song et al., arXiv 2004.09297): RoBERTa's body without segments, whose layers all add the
 * same learned bias of the distance between query and key to their scores.
 */
final class Mpnet implements Encoder {
  // Not in the configuration: the reference implementation fixes them.
  private static final int PAD_ID = 1;
  private static final int BUCKETS = 32;
  private static final int MAX_DISTANCE = 128;

  private final Embedding wordEmbeddings;
  private final Embedding positionEmbeddings;
  private final LayerNorm embeddingsNorm;
  private final Dropout dropout;
  private final List<EncoderLayer> layer = new ArrayList<>();
  private final Embedding relativeAttentionBias;
  private final HeadLayer head;

  Mpnet(Config config, Head head, Weights all) {
    Weights weights = all.body("mpnet");
    int hidden = config.positive("hidden_size");
    int heads = config.divisor("num_attention_heads", hidden);
    double eps = config.eps("layer_norm_eps", 1e-12);
    Weights embeddings = weights.sub("embeddings");
    wordEmbeddings = words(config, all).embedding(config.positive("vocab_size"), hidden);
    int positions = config.positive("max_position_embeddings", 512);
    if (positions < PAD_ID + 2) {
      throw config.wrong("max_position_embeddings", "a number from " + (PAD_ID + 2));
    }
    positionEmbeddings = embeddings.embedding("position_embeddings", positions, hidden);
    embeddingsNorm = embeddings.layerNorm("LayerNorm", hidden, eps);
    dropout = config.dropout("hidden_dropout_prob", 0.1);
    for (int i = 0; i < config.positive("num_hidden_layers"); i++) {
      layer.add(layer(config, weights.sub("encoder.layer." + i), hidden, heads, eps));
    }
    int buckets = config.positive("relative_attention_num_buckets", BUCKETS);
    if (buckets < BUCKETS) {
      throw config.wrong("relative_attention_num_buckets", "a number from " + BUCKETS);
    }
    relativeAttentionBias = weights.embedding("encoder.relative_attention_bias", buckets, heads);
    this.head = head(config, head, all, weights, hidden, eps);
  }

  private static TiedTable words(Config config, Weights all) {
    return new TiedTable(
        config, all, all.body("mpnet"), "embeddings.word_embeddings", "lm_head.decoder", true);
  }

  private EncoderLayer layer(Config config, Weights weights, int hidden, int heads, double eps) {
    int intermediate = config.positive("intermediate_size");
    return new EncoderLayer(
        EncoderLayer.fused(
            weights.joined(
                hidden, hidden, "attention.attn.q", "attention.attn.k", "attention.attn.v"),
            heads,
            config.dropout("attention_probs_dropout_prob", 0.1)),
        weights.linear("attention.attn.o", hidden, hidden).withOutputDropout(dropout),
        weights.layerNorm("attention.LayerNorm", hidden, eps),
        weights.linear(
            "intermediate.dense",
            intermediate,
            hidden,
            true,
            config.activation("hidden_act", "gelu")),
        weights.linear("output.dense", hidden, intermediate).withOutputDropout(dropout),
        weights.layerNorm("output.LayerNorm", hidden, eps));
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
                  .withInputDropout(dropout),
              Heads.classifier(all, "classifier.out_proj", config, hidden, dropout));
      case TOKEN_CLASSIFICATION ->
          Heads.tokens(Heads.classifier(all, "classifier", config, hidden, dropout));
      case QUESTION_ANSWERING -> Heads.spans(all.linear("qa_outputs", 2, hidden));
      default -> throw config.error("MPNet has no head " + head);
    };
  }

  @Override
  public Tensor forward(TokenBatch batch, Trace trace) {
    Tensor x = wordEmbeddings.forward(batch.ids());
    x = positionEmbeddings.addTo(x, batch.positions());
    Tensor bias = bias(batch);
    return trace.through(
        dropout.forward(embeddingsNorm.forward(x)),
        layer.size(),
        (i, states) -> layer.get(i).forward(states, batch, bias, trace),
        last -> last);
  }

  /** What is added to the scores, the same in all layers. */
  private Tensor bias(TokenBatch batch) {
    try (Scope scope = Scope.open()) {
      Tensor bias = QueryKeyPairs.lookUp(batch, relativeAttentionBias.table(), Mpnet::bucket);
      Tensor padding = batch.paddingBias();
      return scope.keep(padding == null ? bias : Elementwise.add(bias, padding));
    }
  }

  /**
   * The bucket of a key so far behind its query: distances below 8 have their own, longer ones
   * share some by their logarithm, those from 128 on the last; keys in front have the other half.
   */
  static long bucket(long distance) {
    int half = BUCKETS / 2;
    int exact = half / 2;
    long ahead = distance > 0 ? half : 0;
    long n = Math.abs(distance);
    if (n < exact) {
      return ahead + n;
    }
    // In float, as the reference has it: a bucket more or less is another number.
    float share = (float) Math.log(n / (float) exact) / (float) Math.log(MAX_DISTANCE / exact);
    return ahead + Math.min(exact + (long) (share * (half - exact)), half - 1);
  }

  @Override
  public void prepare(TokenBatch batch) {
    QueryKeyPairs.prepare(batch, relativeAttentionBias.rows(), Mpnet::bucket);
  }

  @Override
  public boolean readsDistances() {
    return true;
  }

  @Override
  public long[] positions(BatchLayout layout) {
    return layout.positionsWithoutPadding(PAD_ID);
  }

  @Override
  public HeadLayer head() {
    return head;
  }

  @Override
  public boolean isOtherHead(String name) {
    return name.endsWith("position_ids")
        || name.matches("(mpnet\\.)?(pooler|lm_head|classifier|qa_outputs)\\..*");
  }

  @Override
  public Limits limits() {
    int positions = (int) positionEmbeddings.rows();
    return new Limits(
        (int) wordEmbeddings.rows(),
        0,
        positions - PAD_ID - 1,
        positions,
        (int) wordEmbeddings.features());
  }
}
