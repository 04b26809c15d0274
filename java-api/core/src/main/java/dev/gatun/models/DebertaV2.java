package dev.gatun.models;

import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.ops.Ops;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * DeBERTa v2 and v3 (He et al., arXiv 2006.03654 and 2111.09543): relative positions in logarithmic
 * buckets, projected by the content's own projections or by some of their own, and optionally a
 * convolution after the first layer.
 */
public final class DebertaV2 extends EncoderModel {
  private final DebertaParts.Embeddings embeddings;
  private final DebertaParts.Relative relative;
  private final Tensor relEmbeddings;
  private final LayerNorm relNorm;
  private final Linear conv;
  private final LayerNorm convNorm;
  private final int convSize;
  private final List<EncoderLayer> layer = new ArrayList<>();
  private final int maxLength;

  DebertaV2(Config config, Head head, Weights all) {
    super(config, head, all.device());
    Weights weights = all.body("deberta");
    int hidden = config.positive("hidden_size");
    int heads = config.divisor("num_attention_heads", hidden);
    double eps = config.eps("layer_norm_eps", 1e-7);
    maxLength = config.positive("max_position_embeddings", 512);
    embeddings = DebertaParts.Embeddings.of(config, weights.sub("embeddings"), hidden, eps);
    Weights encoder = weights.sub("encoder");
    relative = DebertaParts.Relative.of(config, true);
    relEmbeddings =
        relative.isOn() ? encoder.take("rel_embeddings.weight", 2 * relative.span(), hidden) : null;
    relNorm =
        relative.isOn() && config.texts("norm_rel_ebd").contains("layer_norm")
            ? encoder.layerNorm("LayerNorm", hidden, eps)
            : null;
    convSize = config.integer("conv_kernel_size", 0);
    conv = convSize > 0 ? convolution(config, encoder.sub("conv"), hidden) : null;
    convNorm = convSize > 0 ? encoder.layerNorm("conv.LayerNorm", hidden, eps) : null;
    for (int i = 0; i < config.positive("num_hidden_layers"); i++) {
      Weights l = encoder.sub("layer." + i);
      layer.add(
          EncoderLayer.around(
              config,
              l,
              hidden,
              eps,
              attention(
                  l.sub("attention.self"), hidden, heads, config.flag("share_att_key", false))));
    }
    own(
        DebertaParts.head(config, head, all, embeddings.word(), hidden, eps),
        all,
        DebertaParts::isOtherHead);
  }

  private EncoderLayer.SelfAttention attention(
      Weights weights, int hidden, int heads, boolean shared) {
    int size = hidden / heads;
    Linear query = weights.linear("query_proj", hidden, hidden);
    Linear key = weights.linear("key_proj", hidden, hidden);
    Linear value = weights.linear("value_proj", hidden, hidden);
    boolean c2p = relative.isOn() && relative.c2p();
    boolean p2c = relative.isOn() && relative.p2c();
    Linear positionKey =
        !c2p ? null : shared ? key : weights.linear("pos_key_proj", hidden, hidden);
    Linear positionQuery =
        !p2c ? null : shared ? query : weights.linear("pos_query_proj", hidden, hidden);
    return (x, context, attentions) -> {
      Tensor rel = context.relative();
      return DebertaParts.attend(
          query.forward(x).reshape(x.size(0), heads, size),
          key.forward(x).reshape(x.size(0), heads, size),
          value.forward(x).reshape(x.size(0), heads, size),
          positionKey == null ? null : positionKey.forward(rel).reshape(-1, heads, size),
          positionQuery == null ? null : positionQuery.forward(rel).reshape(-1, heads, size),
          relative,
          context,
          attentions);
    };
  }

  /** The convolution as a linear layer over each token's neighbours, side by side. */
  private static Linear convolution(Config config, Weights weights, int hidden) {
    int size = config.integer("conv_kernel_size", 0);
    int groups = config.divisor("conv_groups", hidden, 1);
    int inGroup = hidden / groups;
    float[] kernel = weights.elements("conv.weight", hidden, inGroup, size);
    float[] dense = new float[Math.multiplyExact(Math.multiplyExact(hidden, hidden), size)];
    for (int out = 0; out < hidden; out++) {
      int first = out / (hidden / groups) * inGroup;
      for (int in = 0; in < inGroup; in++) {
        for (int k = 0; k < size; k++) {
          dense[(out * size + k) * hidden + first + in] = kernel[(out * inGroup + in) * size + k];
        }
      }
    }
    return weights.linear(
        dense,
        hidden,
        (long) hidden * size,
        weights.elements("conv.bias", hidden),
        config.activation("conv_act", "tanh"));
  }

  @Override
  Tensor afterLayer(int index, Tensor hidden, Tensor embeddings, PackedBatch batch) {
    if (conv == null || index != 0) {
      return hidden;
    }
    // One more row, of zeros, stands for what is not there.
    long width = embeddings.size(1);
    Tensor places = ids(range(batch.tokens()));
    Tensor padded = Ops.scatterRows(embeddings, places, batch.tokens() + 1, width);
    Tensor windows =
        Ops.embedding(padded, ids(neighbours(batch))).reshape(batch.tokens(), convSize * width);
    return batch.withoutPadding(convNorm.forward(conv.forward(windows, hidden.dtype()), hidden));
  }

  private long[] neighbours(PackedBatch batch) {
    long[] rows = new long[batch.tokens() * convSize];
    long[] at = new long[batch.sequences() * batch.length()];
    java.util.Arrays.fill(at, batch.tokens());
    for (int i = 0; i < batch.tokens(); i++) {
      at[(int) batch.places()[i]] = i;
    }
    for (int i = 0; i < batch.tokens(); i++) {
      for (int k = 0; k < convSize; k++) {
        long position = batch.positions()[i] + k - (convSize - 1) / 2;
        rows[i * convSize + k] =
            position < 0 || position >= batch.length()
                ? batch.tokens()
                : at[(int) (batch.places()[i] - batch.positions()[i] + position)];
      }
    }
    return rows;
  }

  private static long[] range(int count) {
    return java.util.stream.LongStream.range(0, count).toArray();
  }

  @Override
  EncoderLayer.Context context(PackedBatch batch, Tensor keyBias) {
    Tensor rel = relNorm == null ? relEmbeddings : relNorm.forward(relEmbeddings);
    return new EncoderLayer.Context(batch, rel, ids(batch.positions()), keyBias);
  }

  @Override
  Tensor keyBias(EncoderInputs inputs, PackedBatch batch) {
    return DebertaParts.paddingBias(this, inputs, batch);
  }

  @Override
  Tensor embed(PackedBatch batch) {
    return embeddings.forward(this, batch);
  }

  @Override
  List<EncoderLayer> layers() {
    return layer;
  }

  @Override
  public int maxLength() {
    return maxLength;
  }

  @Override
  int typeCount() {
    return embeddings.type() == null ? 0 : (int) embeddings.type().rows();
  }

  @Override
  public int vocabSize() {
    return (int) embeddings.word().rows();
  }
}
