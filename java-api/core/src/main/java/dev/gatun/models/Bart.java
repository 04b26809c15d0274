package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.CausalAttention;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.FullAttention;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.LayerInput;
import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.nn.NormedSum;
import dev.gatun.nn.RotaryPositionalEmbedding;
import dev.gatun.ops.Attention;
import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * BART (Lewis et al., arXiv 1910.13461): the Transformer of arXiv 1706.03762 with learned positions
 * and a norm over the embeddings, each part followed by a norm. Its relatives: Marian (arXiv
 * 1804.00344) has sinusoidal positions and no norm over the embeddings, as the original; mBART
 * (arXiv 2001.08210), Pegasus (arXiv 1912.08777), M2M-100 (arXiv 2010.11125) with NLLB, and
 * Blenderbot (arXiv 2004.13637) have norms before the parts and one behind the last.
 */
final class Bart implements EncoderDecoder {
  private static final double EPS = 1e-5;

  private final Config config;
  private final EncoderStack encoder;
  private final DecoderStack decoder;

  Bart(Config config, Weights all) {
    this(config, all, true);
  }

  /**
   * @param withScores whether to have the scores of the vocabulary
   */
  private Bart(Config config, Weights all, boolean withScores) {
    this.config = config;
    // Older files spell out what model_type says.
    config.withoutEffect(
        "is_encoder_decoder",
        "static_position_embeddings",
        "normalize_before",
        "normalize_embedding",
        "add_final_layer_norm",
        "add_bias_logits",
        "extra_pos_embeddings",
        "decoder_vocab_size");
    Weights weights = all.body("model");
    int width = config.positive("d_model", 1024);
    Embedding source;
    Embedding target;
    Linear scores;
    int vocabulary = config.positive("vocab_size");
    if (config.flag("share_encoder_decoder_embeddings", true)) {
      SharedTable table = new SharedTable(weights, vocabulary, width);
      source = table.of("encoder.embed_tokens");
      target = table.of("decoder.embed_tokens");
      scores = withScores ? table.output(config, all) : null;
    } else {
      source = weights.embedding("encoder.embed_tokens", vocabulary, width);
      int others = config.positive("decoder_vocab_size", vocabulary);
      TiedTable table =
          new TiedTable(config, all, weights, "decoder.embed_tokens", "lm_head", true);
      target = table.embedding(others, width);
      scores = withScores ? table.output(target) : null;
    }
    encoder = new EncoderStack(config, weights.sub("encoder"), source);
    Tensor bias = withScores ? finalLogitsBias(all, target.rows()) : null;
    decoder = new DecoderStack(config, weights.sub("decoder"), target, scores, bias);
  }

  /** What is added to the scores; null where it is nothing, as in most files. */
  private static Tensor finalLogitsBias(Weights all, long vocabulary) {
    if (!all.has("final_logits_bias")) {
      return null;
    }
    for (float value : all.elements("final_logits_bias", 1, vocabulary)) {
      if (value != 0) {
        return all.constant("final_logits_bias", 1, vocabulary);
      }
    }
    return null;
  }

  /** Both stacks over the same text, with a head on the decoder's states. */
  static Encoder reader(Config config, Head head, Weights all) {
    int width = config.positive("d_model", 1024);
    Bart model = new Bart(config, all, head == Head.MASKED_LM);
    return new BothStacks(
        config,
        model,
        switch (head) {
          case BASE -> Heads.base(null);
          case MASKED_LM -> maskedLm(model);
          case SEQUENCE_CLASSIFICATION ->
              Heads.sequence(
                  config,
                  BothStacks.lastEnd(config),
                  all.linear("classification_head.dense", width, width, true, Activation.TANH)
                      .withInputDropout(config.dropout("classifier_dropout", 0)),
                  Heads.classifier(
                      all,
                      "classification_head.out_proj",
                      config,
                      width,
                      config.dropout("classifier_dropout", 0)));
          case QUESTION_ANSWERING -> Heads.spans(all.linear("qa_outputs", 2, width));
          default -> throw config.error("BART's encoder and decoder have no head " + head);
        });
  }

  /**
   * What stands at each place by the decoder, which sees the places before it and all of a text.
   */
  private static HeadLayer maskedLm(Bart model) {
    HeadLayer scores = Heads.tokens(model.decoder::logits);
    return new HeadLayer() {
      @Override
      public void forward(
          Tensor hidden, TokenBatch batch, EncoderInputs inputs, EncoderOutput output) {
        if (inputs.labels() != null) {
          throw new IllegalArgumentException(
              "labels: the decoder would read them in place of the text: train an encoder-decoder");
        }
        scores.forward(hidden, batch, inputs, output);
      }

      @Override
      public Tensor scores(Tensor rows) {
        return scores.scores(rows);
      }
    };
  }

  /** What is dropped of embeddings and of each part's results. */
  private static Dropout dropout(Config config) {
    return config.dropout("dropout", 0.1);
  }

  /** Whether norms come before the parts. */
  private static boolean normsFirst(Config config) {
    return switch (config.text("model_type", "bart")) {
      case "mbart", "pegasus", "m2m_100", "blenderbot" -> true;
      default -> false;
    };
  }

  /** A part's result added to the stream, and the norm that the next part reads. */
  private record Join(LayerNorm norm, boolean normsFirst) {
    NormedSum of(Tensor result, NormedSum in, Linear reader) {
      if (normsFirst) {
        return norm.withSum(result, in.sum(), reader);
      }
      // The stream is what the norms give.
      Tensor stream = in.sum();
      LayerInput normed =
          reader == null
              ? new LayerInput(norm.forward(result, stream), null)
              : norm.forward(result, stream, reader);
      return new NormedSum(normed, normed.x());
    }
  }

  /** The norms of a stack's parts in their order, and behind which part each is. */
  private record Norms(LayerNorm first, List<LayerNorm> joins, boolean normsFirst) {
    static Norms of(Config config, Weights stack, int layers, String... parts) {
      int width = config.positive("d_model", 1024);
      boolean before = Bart.normsFirst(config);
      List<LayerNorm> norms = new ArrayList<>();
      for (int i = 0; i < layers; i++) {
        for (String part : parts) {
          norms.add(stack.layerNorm("layers.%d.%s".formatted(i, part), width, EPS));
        }
      }
      if (before) {
        norms.add(stack.layerNorm("layer_norm", width, EPS));
      }
      LayerNorm first = before ? norms.removeFirst() : null;
      return new Norms(first, norms, before);
    }

    Join join(int part) {
      return new Join(joins.get(part), normsFirst);
    }

    /** What the first part reads. */
    NormedSum begin(Tensor x, Linear reader) {
      return first == null
          ? new NormedSum(new LayerInput(x, null), x)
          : first.withSum(x, null, reader);
    }
  }

  /**
   * From tokens to the first states.
   *
   * @param norm of the embeddings with their positions, or null
   * @param normsTokens whether it is of the tokens' embeddings alone
   */
  private record Embeddings(
      Embedding embedTokens,
      Tensor scale,
      BartPositions positions,
      LayerNorm norm,
      boolean normsTokens,
      Dropout dropout) {
    static Embeddings of(Config config, Weights stack, Embedding embedTokens, boolean decoder) {
      int width = config.positive("d_model", 1024);
      String type = config.text("model_type", "bart");
      boolean normed =
          type.equals("bart") || type.equals("mbart") || type.equals("blenderbot-small");
      boolean normsTokens = decoder && type.equals("blenderbot-small");
      float factor = (float) Math.sqrt(width);
      return new Embeddings(
          embedTokens,
          // What a norm follows is not scaled there.
          !normsTokens && config.flag("scale_embedding", type.equals("m2m_100"))
              ? stack.loader().own(Tensor.of(stack.device(), new float[] {factor}, 1))
              : null,
          BartPositions.of(config, stack),
          normed ? stack.layerNorm("layernorm_embedding", width, EPS) : null,
          normsTokens,
          Bart.dropout(config));
    }

    Tensor forward(TokenBatch batch) {
      Tensor x = embedTokens.forward(batch.ids());
      if (scale != null) {
        x = Elementwise.multiply(x, Elementwise.cast(scale, x.dtype()));
      }
      if (normsTokens) {
        return dropout.forward(positions.table().addTo(norm.forward(x), batch.positions()));
      }
      x = positions.table().addTo(x, batch.positions());
      return dropout.forward(norm == null ? x : norm.forward(x));
    }

    Limits limits() {
      int length = positions.length();
      return new Limits(
          (int) embedTokens.rows(),
          0,
          length,
          (int) positions.table().rows(),
          (int) embedTokens.features());
    }
  }

  /** The width, the heads and the feed-forward network of a stack's layers. */
  private record Sizes(
      int width,
      int heads,
      int inner,
      Activation activation,
      Dropout dropout,
      Dropout ofProbabilities,
      Dropout ofActivation) {
    static Sizes of(Config config, String stack) {
      int width = config.positive("d_model", 1024);
      String activation = config.text("model_type", "").equals("m2m_100") ? "relu" : "gelu";
      return new Sizes(
          width,
          config.divisor(stack + "_attention_heads", width, 16),
          config.positive(stack + "_ffn_dim", 4096),
          config.activation("activation_function", activation),
          Bart.dropout(config),
          config.dropout(
              "attention_dropout", config.text("model_type", "").equals("m2m_100") ? 0.1 : 0),
          config.dropout("activation_dropout", 0));
    }

    int headSize() {
      return width / heads;
    }

    FullAttention attention() {
      float scale = (float) (1 / Math.sqrt(headSize()));
      return new FullAttention(heads, headSize(), Attention.Scores.scaled(scale), ofProbabilities);
    }
  }

  /** {@code fc2(activation(fc1(x)))}. */
  private record FeedForward(Linear fc1, Linear fc2) {
    static FeedForward of(Weights layer, Sizes sizes) {
      return new FeedForward(
          layer
              .linear("fc1", sizes.inner(), sizes.width(), true, sizes.activation())
              .withOutputDropout(sizes.ofActivation()),
          layer.linear("fc2", sizes.width(), sizes.inner()).withOutputDropout(sizes.dropout()));
    }

    Tensor forward(NormedSum x) {
      return fc2.forward(fc1.forwardNarrow(x.x()), x.sum().dtype());
    }
  }

  private static Linear joinedProjections(Weights attention, int width) {
    return attention.joined(width, width, "q_proj", "k_proj", "v_proj");
  }

  /** The encoder. */
  private static final class EncoderStack implements Encoder {
    private final Embeddings embeddings;
    private final List<Layer> layers = new ArrayList<>();
    private final Norms norms;

    private record Layer(
        Linear qkv,
        FullAttention selfAttn,
        Linear outProj,
        Join selfAttnJoin,
        FeedForward feedForward,
        Join feedForwardJoin) {

      NormedSum forward(NormedSum in, TokenBatch batch, Trace trace, Linear reader) {
        try (Scope scope = Scope.open()) {
          FullAttention seeing = selfAttn.withBias(batch.paddingBias());
          Tensor attended = trace.attendAll(seeing, qkv.forwardNarrow(in.x()), batch, scope);
          Tensor own = outProj.forward(attended, in.sum().dtype());
          NormedSum middle = selfAttnJoin.of(own, in, feedForward.fc1());
          return feedForwardJoin.of(feedForward.forward(middle), middle, reader).keptBy(scope);
        }
      }
    }

    EncoderStack(Config config, Weights stack, Embedding embedTokens) {
      embeddings = Embeddings.of(config, stack, embedTokens, false);
      Sizes sizes = Sizes.of(config, "encoder");
      // The older files' name for it, which transformers takes too.
      int count = config.positive("num_hidden_layers", config.positive("encoder_layers", 12));
      norms = Norms.of(config, stack, count, "self_attn_layer_norm", "final_layer_norm");
      for (int i = 0; i < count; i++) {
        Weights layer = stack.sub("layers." + i);
        Weights self = layer.sub("self_attn");
        layers.add(
            new Layer(
                joinedProjections(self, sizes.width()),
                sizes.attention(),
                self.linear("out_proj", sizes.width(), sizes.width())
                    .withOutputDropout(sizes.dropout()),
                norms.join(2 * i),
                FeedForward.of(layer, sizes),
                norms.join(2 * i + 1)));
      }
    }

    @Override
    public Tensor forward(TokenBatch batch, Trace trace) {
      return through(
          norms,
          trace.first(embeddings.forward(batch)),
          layers.stream().map(Layer::qkv).toList(),
          trace,
          (i, x, reader, each) -> layers.get(i).forward(x, batch, each, reader));
    }

    @Override
    public long[] positions(BatchLayout layout) {
      return embeddings.positions().rows(layout);
    }

    @Override
    public HeadLayer head() {
      return Heads.base(null);
    }

    @Override
    public boolean isOtherHead(String name) {
      return name.startsWith("decoder.") || isTied(name);
    }

    @Override
    public Limits limits() {
      return embeddings.limits();
    }
  }

  private interface Step {
    NormedSum forward(int layer, NormedSum x, Linear reader, Trace trace);
  }

  /** Layers one after another. */
  private static Tensor through(
      Norms norms, Tensor embedded, List<Linear> readers, Trace trace, Step layer) {
    return trace.through(
        norms.begin(embedded, readers.getFirst()),
        readers.size(),
        (i, x, each) ->
            layer.forward(i, x, i + 1 == readers.size() ? null : readers.get(i + 1), each));
  }

  /** The decoder. */
  private static final class DecoderStack implements CrossDecoder {
    private final Embeddings embeddings;
    private final List<Layer> layers = new ArrayList<>();
    private final Norms norms;
    private final Linear lmHead;
    private final Tensor finalLogitsBias;
    private final KvCache.Shape cacheShape;
    private final KvCache.Shape sourceShape;

    private record Layer(
        int index,
        Linear qkv,
        CausalAttention selfAttn,
        Linear outProj,
        Join selfAttnJoin,
        Linear crossQ,
        Linear crossKv,
        FullAttention encoderAttn,
        Linear crossOut,
        Join encoderAttnJoin,
        FeedForward feedForward,
        Join feedForwardJoin) {

      NormedSum forward(
          NormedSum in, TokenBatch batch, CrossDecoder decoder, Trace trace, Linear reader) {
        try (Scope scope = Scope.open()) {
          Tensor joined = qkv.forwardNarrow(in.x());
          Tensor attended = trace.attend(selfAttn, joined, batch, index, scope);
          NormedSum own = selfAttnJoin.of(outProj.forward(attended, in.sum().dtype()), in, crossQ);
          Tensor query = crossQ.forwardNarrow(own.x());
          Tensor seen = trace.attendSource(encoderAttn, query, batch, decoder, index, scope);
          NormedSum middle =
              encoderAttnJoin.of(crossOut.forward(seen, in.sum().dtype()), own, feedForward.fc1());
          return feedForwardJoin.of(feedForward.forward(middle), middle, reader).keptBy(scope);
        }
      }
    }

    /**
     * @param lmHead null where there are no scores
     * @param finalLogitsBias what is added to them, or null
     */
    DecoderStack(
        Config config,
        Weights stack,
        Embedding embedTokens,
        Linear lmHead,
        Tensor finalLogitsBias) {
      embeddings = Embeddings.of(config, stack, embedTokens, true);
      Sizes sizes = Sizes.of(config, "decoder");
      int width = sizes.width();
      int count = config.positive("decoder_layers", 12);
      norms =
          Norms.of(
              config,
              stack,
              count,
              "self_attn_layer_norm",
              "encoder_attn_layer_norm",
              "final_layer_norm");
      RotaryPositionalEmbedding none =
          stack
              .loader()
              .own(
                  RotaryPositionalEmbedding.none(
                      stack.device(), (int) embeddings.positions().table().rows()));
      for (int i = 0; i < count; i++) {
        Weights layer = stack.sub("layers." + i);
        Weights self = layer.sub("self_attn");
        Weights cross = layer.sub("encoder_attn");
        layers.add(
            new Layer(
                i,
                joinedProjections(self, width),
                CausalAttention.of(sizes.heads(), sizes.heads(), sizes.headSize(), none)
                    .withDropout(sizes.ofProbabilities()),
                self.linear("out_proj", width, width).withOutputDropout(sizes.dropout()),
                norms.join(3 * i),
                cross.linear("q_proj", width, width),
                cross.joined(width, width, "k_proj", "v_proj"),
                sizes.attention(),
                cross.linear("out_proj", width, width).withOutputDropout(sizes.dropout()),
                norms.join(3 * i + 1),
                FeedForward.of(layer, sizes),
                norms.join(3 * i + 2)));
      }
      this.lmHead = lmHead;
      this.finalLogitsBias = finalLogitsBias;
      Layer first = layers.getFirst();
      cacheShape = new KvCache.Shape(count, sizes.heads(), sizes.headSize(), first.qkv.between());
      sourceShape = sizes.attention().cacheShape(count, first.crossKv.between());
    }

    @Override
    public Tensor forward(TokenBatch batch, Trace trace) {
      return through(
          norms,
          trace.first(embeddings.forward(batch)),
          layers.stream().map(Layer::qkv).toList(),
          trace,
          (i, x, reader, each) -> layers.get(i).forward(x, batch, this, each, reader));
    }

    @Override
    public Tensor keysAndValues(int layer, Tensor encoded) {
      return layers.get(layer).crossKv.forwardNarrow(encoded);
    }

    @Override
    public Linear output() {
      return finalLogitsBias == null ? lmHead : null;
    }

    @Override
    public Tensor logits(Tensor hidden) {
      Tensor scores = lmHead.forward(hidden);
      return finalLogitsBias == null ? scores : Elementwise.add(scores, finalLogitsBias);
    }

    @Override
    public long[] positions(BatchLayout layout) {
      return embeddings.positions().rows(layout);
    }

    @Override
    public Limits limits() {
      return embeddings.limits();
    }

    @Override
    public KvCache.Shape cacheShape() {
      return cacheShape;
    }

    @Override
    public KvCache.Shape sourceShape() {
      return sourceShape;
    }
  }

  /** Copies of tables that are shared, tables that are computed, and the scores' bias of zeros. */
  private static boolean isTied(String name) {
    return name.matches("(model\\.)?(shared|(en|de)coder\\.embed_(tokens|positions))\\.weights?")
        || name.matches("(model\\.)?(en|de)coder\\.version")
        || name.equals("lm_head.weight")
        || name.equals("final_logits_bias");
  }

  @Override
  public Encoder encoder() {
    return encoder;
  }

  @Override
  public CrossDecoder decoder() {
    return decoder;
  }

  @Override
  public long[][] shifted(long[][] labels) {
    return config.text("model_type", "").equals("mbart")
        ? ShiftedLabels.behindLast(config, labels)
        : ShiftedLabels.behindStart(config, labels);
  }

  @Override
  public boolean isOtherHead(String name) {
    return isTied(name) || name.matches("(classification_head|qa_outputs)\\..*");
  }
}
