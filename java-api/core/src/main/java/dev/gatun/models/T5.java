package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.CausalAttention;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.FullAttention;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.Linear;
import dev.gatun.nn.NormedSum;
import dev.gatun.nn.RmsNorm;
import dev.gatun.nn.RotaryPositionalEmbedding;
import dev.gatun.ops.Attention;
import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.Loader;
import java.util.ArrayList;
import java.util.List;

/**
 * T5 (Raffel et al., arXiv 1910.10683): norms before each part, scores that are not scaled and get
 * a learned bias by the distance of query and key, no other positions, no biases of layers. Its
 * relatives: T5 1.1 and mT5 (arXiv 2010.11934) have gated feed-forward networks and an output layer
 * of their own, UMT5 (arXiv 2304.09151) a bias of scores a layer, Switch Transformers (arXiv
 * 2101.03961) mixtures of experts in some layers.
 */
final class T5 implements EncoderDecoder {
  /** Positions of no table: what memory of a batch is planned for. */
  private static final int LENGTH = 1 << 15;

  private final EncoderStack encoder;
  private final DecoderStack decoder;
  private final Config config;

  T5(Config config, Weights weights) {
    withoutEffect(config);
    SharedTable table = shared(config, weights);
    encoder = new EncoderStack(config, weights, table.of("encoder.embed_tokens"));
    Embedding targets = table.of("decoder.embed_tokens");
    decoder = new DecoderStack(config, weights, targets, table.output(config, weights));
    this.config = config;
  }

  /** The encoder alone, as for sentence vectors. */
  static Encoder encoder(Config config, Head head, Weights weights) {
    if (head != Head.BASE) {
      throw config.error("T5's encoder has no head " + head);
    }
    withoutEffect(config);
    // Of the decoder.
    config.withoutEffect("is_encoder_decoder", "num_decoder_layers", "scale_decoder_outputs");
    return new EncoderStack(config, weights, shared(config, weights).of("encoder.embed_tokens"));
  }

  private static void withoutEffect(Config config) {
    // Positions are relative.
    config.withoutEffect("n_positions");
  }

  private static SharedTable shared(Config config, Weights weights) {
    return new SharedTable(
        weights, config.positive("vocab_size", 32128), config.positive("d_model", 512));
  }

  /** What the layers of both stacks have in common. */
  private record Sizes(int hidden, int heads, int headSize, double eps, Dropout dropout) {
    static Sizes of(Config config) {
      return new Sizes(
          config.positive("d_model", 512),
          config.positive("num_heads", 8),
          config.positive("d_kv", 64),
          config.eps("layer_norm_epsilon", 1e-6),
          T5FeedForward.dropout(config));
    }

    long inner() {
      return (long) heads * headSize;
    }

    FullAttention attention() {
      return new FullAttention(heads, headSize, Attention.Scores.scaled(1), dropout);
    }

    RmsNorm norm(Weights weights, String name) {
      return weights.rmsNorm(name, hidden, 0, eps);
    }

    Linear qkv(Weights weights) {
      return weights.joined(
          hidden,
          new Loader.Layer("q", inner(), false),
          new Loader.Layer("k", inner(), false),
          new Loader.Layer("v", inner(), false));
    }

    Linear output(Weights weights) {
      return weights
          .linear("o", hidden, inner(), false, Activation.NONE)
          .withOutputDropout(dropout);
    }
  }

  /** The biases of scores: the first layer's serve all, but where each has its own. */
  private record Biases(List<Embedding> tables, RelativeBuckets buckets) {
    static Biases of(Config config, Weights stack, int layers, int heads, boolean bothWays) {
      int count = config.positive("relative_attention_num_buckets", 32);
      int most = config.positive("relative_attention_max_distance", 128);
      int least = bothWays ? 4 : 2;
      if (count < least) {
        throw config.wrong("relative_attention_num_buckets", "a number from " + least);
      }
      if (most <= count / least) {
        throw config.wrong("relative_attention_max_distance", "a number above " + count / least);
      }
      boolean each = config.text("model_type", "t5").equals("umt5");
      List<Embedding> tables = new ArrayList<>();
      for (int i = 0; i < (each ? layers : 1); i++) {
        String name = "block.%d.layer.0.SelfAttention.relative_attention_bias".formatted(i);
        tables.add(stack.embedding(name, count, heads));
      }
      return new Biases(tables, new RelativeBuckets(bothWays, count, most));
    }

    void prepare(TokenBatch batch) {
      QueryKeyPairs.prepare(batch, tables.getFirst().rows(), buckets::of);
    }

    /**
     * The bias of a layer: the last layer's, or where that is another one, which ends then, made
     * anew.
     */
    Tensor of(int layer, Tensor last, TokenBatch batch) {
      if (layer >= tables.size()) {
        return last;
      }
      if (last != null) {
        last.close();
      }
      try (Scope scope = Scope.open()) {
        Tensor bias = QueryKeyPairs.lookUp(batch, tables.get(layer).table(), buckets::of);
        Tensor padding = batch.paddingBias();
        return scope.keep(padding == null ? bias : Elementwise.add(bias, padding));
      }
    }
  }

  /** The encoder. */
  private static final class EncoderStack implements Encoder {
    private final Embedding embedTokens;
    private final Dropout dropout;
    private final List<Block> block = new ArrayList<>();
    private final RmsNorm finalLayerNorm;
    private final Biases biases;

    private record Block(
        RmsNorm attentionNorm,
        Linear qkv,
        FullAttention selfAttention,
        Linear o,
        RmsNorm feedForwardNorm,
        FeedForward feedForward) {

      /** From the normed stream before this block to that of the next norm. */
      NormedSum forward(
          NormedSum in, TokenBatch batch, Tensor bias, Trace trace, RmsNorm next, Linear reader) {
        Tensor stream = in.sum();
        try (Scope scope = Scope.open()) {
          Tensor joined = qkv.forwardNarrow(in.x());
          Tensor attended = trace.attendAll(selfAttention.withBias(bias), joined, batch, scope);
          NormedSum middle =
              feedForwardNorm.withSum(
                  o.forward(attended, stream.dtype()), stream, feedForward.reader());
          Tensor fed = feedForward.forward(middle.x(), batch, stream.dtype(), trace, scope);
          return next.withSum(fed, middle.sum(), reader).keptBy(scope);
        }
      }
    }

    EncoderStack(Config config, Weights weights, Embedding embedTokens) {
      this.embedTokens = embedTokens;
      Sizes sizes = Sizes.of(config);
      dropout = sizes.dropout();
      Weights stack = weights.sub("encoder");
      int count = config.positive("num_layers", 6);
      for (int i = 0; i < count; i++) {
        Weights layer = stack.sub("block." + i + ".layer");
        Weights self = layer.sub("0.SelfAttention");
        block.add(
            new Block(
                sizes.norm(layer, "0.layer_norm"),
                sizes.qkv(self),
                sizes.attention(),
                sizes.output(self),
                sizes.norm(layer, "1.layer_norm"),
                T5FeedForward.of(config, layer.sub("1"), i, false)));
      }
      finalLayerNorm = sizes.norm(stack, "final_layer_norm");
      biases = Biases.of(config, stack, count, sizes.heads(), true);
    }

    @Override
    public Tensor forward(TokenBatch batch, Trace trace) {
      Tensor embedded = trace.first(dropout.forward(embedTokens.forward(batch.ids())));
      Block first = block.getFirst();
      NormedSum x = first.attentionNorm.withSum(embedded, null, first.qkv);
      Tensor bias = null;
      for (int i = 0; i < block.size(); i++) {
        Block after = i + 1 < block.size() ? block.get(i + 1) : null;
        bias = biases.of(i, bias, batch);
        Tensor own = bias;
        RmsNorm next = after == null ? finalLayerNorm : after.attentionNorm;
        Linear reader = after == null ? null : after.qkv;
        x =
            trace.layer(
                i,
                x,
                after == null,
                (at, in, each) -> block.get(at).forward(in, batch, own, each, next, reader));
      }
      bias.close();
      return dropout.forward(x.x().x());
    }

    @Override
    public void prepare(TokenBatch batch) {
      biases.prepare(batch);
    }

    @Override
    public boolean readsDistances() {
      return true;
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
      return T5.limits(embedTokens);
    }
  }

  /** The decoder. */
  private static final class DecoderStack implements CrossDecoder {
    private final Embedding embedTokens;
    private final Dropout dropout;
    private final List<Block> block = new ArrayList<>();
    private final RmsNorm finalLayerNorm;
    private final Biases biases;
    private final Linear lmHead;
    private final Tensor scale;
    private final KvCache.Shape cacheShape;
    private final KvCache.Shape sourceShape;

    private record Block(
        int index,
        RmsNorm attentionNorm,
        Linear qkv,
        CausalAttention selfAttention,
        Linear o,
        RmsNorm crossNorm,
        Linear crossQ,
        Linear crossKv,
        FullAttention encDecAttention,
        Linear crossO,
        RmsNorm feedForwardNorm,
        FeedForward feedForward) {

      /** From the normed stream before this block to that of the next norm. */
      NormedSum forward(
          NormedSum in,
          TokenBatch batch,
          Tensor bias,
          CrossDecoder decoder,
          Trace trace,
          RmsNorm next,
          Linear reader) {
        Tensor stream = in.sum();
        try (Scope scope = Scope.open()) {
          Tensor joined = qkv.forwardNarrow(in.x());
          CausalAttention biased = selfAttention.withScores(selfAttention.scores().withBias(bias));
          Tensor attended = trace.attend(biased, joined, batch, index, scope);
          NormedSum own = crossNorm.withSum(o.forward(attended, stream.dtype()), stream, crossQ);
          Tensor query = crossQ.forwardNarrow(own.x());
          Tensor seen = trace.attendSource(encDecAttention, query, batch, decoder, index, scope);
          NormedSum middle =
              feedForwardNorm.withSum(
                  crossO.forward(seen, stream.dtype()), own.sum(), feedForward.reader());
          Tensor fed = feedForward.forward(middle.x(), batch, stream.dtype(), trace, scope);
          return next.withSum(fed, middle.sum(), reader).keptBy(scope);
        }
      }
    }

    DecoderStack(Config config, Weights weights, Embedding embedTokens, Linear lmHead) {
      this.embedTokens = embedTokens;
      this.lmHead = lmHead;
      Sizes sizes = Sizes.of(config);
      dropout = sizes.dropout();
      Weights stack = weights.sub("decoder");
      RotaryPositionalEmbedding none =
          weights.loader().own(RotaryPositionalEmbedding.none(weights.device(), LENGTH));
      CausalAttention attention =
          CausalAttention.of(sizes.heads(), sizes.heads(), sizes.headSize(), none)
              .withScores(Attention.Scores.scaled(1))
              .withDropout(dropout);
      int count = config.positive("num_decoder_layers", config.positive("num_layers", 6));
      for (int i = 0; i < count; i++) {
        Weights layer = stack.sub("block." + i + ".layer");
        Weights self = layer.sub("0.SelfAttention");
        Weights cross = layer.sub("1.EncDecAttention");
        block.add(
            new Block(
                i,
                sizes.norm(layer, "0.layer_norm"),
                sizes.qkv(self),
                attention,
                sizes.output(self),
                sizes.norm(layer, "1.layer_norm"),
                cross.linear("q", sizes.inner(), sizes.hidden(), false, Activation.NONE),
                cross.joined(
                    sizes.hidden(),
                    new Loader.Layer("k", sizes.inner(), false),
                    new Loader.Layer("v", sizes.inner(), false)),
                sizes.attention(),
                sizes.output(cross),
                sizes.norm(layer, "2.layer_norm"),
                T5FeedForward.of(config, layer.sub("2"), i, true)));
      }
      finalLayerNorm = sizes.norm(stack, "final_layer_norm");
      biases = Biases.of(config, stack, count, sizes.heads(), false);
      float factor = (float) Math.pow(sizes.hidden(), -0.5);
      scale =
          isScaled(config)
              ? weights.loader().own(Tensor.of(weights.device(), new float[] {factor}, 1))
              : null;
      Linear first = block.getFirst().qkv;
      cacheShape = new KvCache.Shape(count, sizes.heads(), sizes.headSize(), first.between());
      sourceShape = sizes.attention().cacheShape(count, block.getFirst().crossKv.between());
    }

    /** T5 scales what its output layer reads; checkpoints of T5 1.1 say by other words not to. */
    private static boolean isScaled(Config config) {
      boolean tied = config.flag("tie_word_embeddings", true);
      return switch (config.text("model_type", "t5")) {
        case "mt5" -> false;
        // Null is no for transformers, which puts the file's value in place of its own.
        case "t5" ->
            config.flag("scale_decoder_outputs", tied && config.isMissing("scale_decoder_outputs"));
        case "umt5" -> true;
        default -> tied;
      };
    }

    @Override
    public Tensor forward(TokenBatch batch, Trace trace) {
      Tensor embedded = trace.first(dropout.forward(embedTokens.forward(batch.ids())));
      Block first = block.getFirst();
      NormedSum x = first.attentionNorm.withSum(embedded, null, first.qkv);
      Tensor bias = null;
      for (int i = 0; i < block.size(); i++) {
        Block after = i + 1 < block.size() ? block.get(i + 1) : null;
        bias = biases.of(i, bias, batch);
        Tensor own = bias;
        RmsNorm next = after == null ? finalLayerNorm : after.attentionNorm;
        Linear reader = after == null ? null : after.qkv;
        x =
            trace.layer(
                i,
                x,
                after == null,
                (at, in, each) -> block.get(at).forward(in, batch, own, this, each, next, reader));
      }
      bias.close();
      return dropout.forward(x.x().x());
    }

    @Override
    public Tensor keysAndValues(int layer, Tensor encoded) {
      return block.get(layer).crossKv.forwardNarrow(encoded);
    }

    @Override
    public Linear output() {
      return lmHead;
    }

    @Override
    public Tensor beforeOutput(Tensor hidden) {
      return scale == null
          ? hidden
          : Elementwise.multiply(hidden, Elementwise.cast(scale, hidden.dtype()));
    }

    @Override
    public void prepare(TokenBatch batch) {
      biases.prepare(batch);
    }

    @Override
    public boolean readsDistances() {
      return true;
    }

    @Override
    public Limits limits() {
      return T5.limits(embedTokens);
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

  private static Limits limits(Embedding table) {
    return new Limits((int) table.rows(), 0, LENGTH, LENGTH, (int) table.features());
  }

  /** Copies of the one table that all share, and what a decoder of old files has in vain. */
  private static boolean isTied(String name) {
    return name.matches("(shared|(en|de)coder\\.embed_tokens|lm_head)\\.weight")
        || name.endsWith("EncDecAttention.relative_attention_bias.weight");
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
  public boolean hasRouters() {
    return config.text("model_type", "t5").equals("switch_transformers");
  }

  @Override
  public long[][] shifted(long[][] labels) {
    return ShiftedLabels.behindStart(config, labels);
  }

  @Override
  public boolean isOtherHead(String name) {
    return isTied(name);
  }
}
