package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Indexing;
import dev.gatun.ops.Layouts;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/**
 * DeBERTa v2 and v3 (He et al., arXiv 2006.03654 and 2111.09543): relative positions in logarithmic
 * buckets, projected by the content's own projections or by some of their own, and optionally a
 * convolution after the first layer.
 */
final class DebertaV2 implements Encoder {
  private final DebertaParts.Embeddings embeddings;
  private final DebertaParts.Relative relative;
  private final Supplier<Tensor> relEmbeddings;
  private final Dropout dropout;
  private final Dropout ofProbabilities;
  private final Linear conv;
  private final LayerNorm convNorm;
  // What follows the convolution where some of its results are dropped before; null where not.
  private final Activation convAct;
  private final int convSize;
  private final List<EncoderLayer> layer = new ArrayList<>();
  private final HeadLayer head;
  private final int hiddenSize;
  private final int maxLength;

  DebertaV2(Config config, Head head, Weights all) {
    Weights weights = all.body("deberta");
    int hidden = config.positive("hidden_size");
    hiddenSize = hidden;
    int heads = config.divisor("num_attention_heads", hidden);
    if (config.integer("attention_head_size", hidden / heads) != hidden / heads) {
      throw config.wrong(
          "attention_head_size", "%d, the width by the heads".formatted(hidden / heads));
    }
    double eps = config.eps("layer_norm_eps", 1e-7);
    maxLength = config.positive("max_position_embeddings", 512);
    embeddings = DebertaParts.Embeddings.of(config, all, weights.sub("embeddings"), hidden, eps);
    Weights encoder = weights.sub("encoder");
    relative = DebertaParts.Relative.of(config, true);
    dropout = DebertaParts.dropout(config);
    ofProbabilities = DebertaParts.ofProbabilities(config);
    relEmbeddings = relativeEmbeddings(config, encoder, 2 * relative.span(), eps);
    convSize = Math.max(0, config.integer("conv_kernel_size", 0));
    if (convSize > 0 && convSize % 2 == 0) {
      throw config.wrong("conv_kernel_size", "0 or an odd number: each token is a window's middle");
    }
    conv = convSize > 0 ? convolution(config, encoder.sub("conv"), hidden) : null;
    convAct =
        convSize > 0 && weights.areParameters() ? config.activation("conv_act", "tanh") : null;
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
    this.head = DebertaParts.head(config, head, all, embeddings.word(), hidden, eps);
  }

  /**
   * The embeddings of relative positions, with their norm where there is one, which is computed
   * anew where training changes it; null without rows. Files have the norm then too.
   */
  private static Supplier<Tensor> relativeEmbeddings(
      Config config, Weights encoder, long rows, double eps) {
    int hidden = config.positive("hidden_size");
    boolean isNormed =
        config.texts("norm_rel_ebd").stream().anyMatch("layer_norm"::equalsIgnoreCase);
    LayerNorm norm = isNormed ? encoder.layerNorm("LayerNorm", hidden, eps) : null;
    if (rows == 0) {
      return null;
    }
    Tensor table = encoder.take("rel_embeddings.weight", rows, hidden);
    if (norm == null) {
      return () -> table;
    }
    if (encoder.areParameters()) {
      return () -> norm.forward(table);
    }
    Tensor normed = encoder.loader().own(norm.forward(table));
    return () -> normed;
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
    return (x, batch, _, trace) -> {
      Tensor positions = relative.isOn() ? dropout.forward(relEmbeddings.get()) : null;
      return DebertaParts.attend(
          query.forward(x).reshape(x.size(0), heads, size),
          key.forward(x).reshape(x.size(0), heads, size),
          value.forward(x).reshape(x.size(0), heads, size),
          positionKey == null ? null : positionKey.forward(positions).reshape(-1, heads, size),
          positionQuery == null ? null : positionQuery.forward(positions).reshape(-1, heads, size),
          relative,
          ofProbabilities,
          batch,
          trace);
    };
  }

  /** The convolution as a linear layer over each token's neighbours, side by side. */
  private static Linear convolution(Config config, Weights weights, int hidden) {
    int size = config.integer("conv_kernel_size", 0);
    int groups = config.divisor("conv_groups", hidden, 1);
    int inGroup = hidden / groups;
    if (weights.areParameters()) {
      return composed(config, weights, hidden, size, groups);
    }
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

  /** The same layer of parameters: a group's features in their place, zeros beside them. */
  private static Linear composed(Config config, Weights weights, int hidden, int size, int groups) {
    long inGroup = hidden / groups;
    Tensor kernel = weights.take("conv.weight", hidden, inGroup, size);
    Tensor bias = weights.take("conv.bias", hidden);
    Tensor zeros = weights.loader().own(Tensor.zeros(weights.device(), inGroup, size, hidden));
    return weights
        .loader()
        .composed(
            hidden,
            () -> {
              Tensor each = Layouts.permute(kernel, 0, 2, 1);
              List<Tensor> rows = new ArrayList<>();
              for (long first = 0; first < hidden; first += inGroup) {
                rows.add(
                    Layouts.concat(
                        2,
                        List.of(
                            zeros.slice(2, 0, first),
                            each.slice(0, first, first + inGroup),
                            zeros.slice(2, first + inGroup, hidden))));
              }
              return Layouts.concat(0, rows).reshape(hidden, (long) hidden * size);
            },
            () -> bias,
            Activation.NONE);
  }

  @Override
  public Tensor forward(TokenBatch batch, Trace trace) {
    Tensor embedded = embeddings.forward(batch);
    return trace.through(
        embedded,
        layer.size(),
        (i, x) -> {
          Tensor y = layer.get(i).forward(x, batch, trace);
          return i == 0 && conv != null ? convolved(embedded, y, batch) : y;
        },
        last -> last);
  }

  /** The first layer's states with the convolution of what it was given. */
  private Tensor convolved(Tensor embedded, Tensor hidden, TokenBatch batch) {
    // One more row, of zeros, stands for what is not there.
    int tokens = batch.tokens();
    long width = embedded.size(1);
    Tensor none = Tensor.zeros(embedded.device(), embedded.dtype(), 1, width);
    Tensor padded = Layouts.concat(0, List.of(embedded, none));
    Tensor windows =
        Indexing.embedding(padded, neighbours(batch)).reshape(tokens, convSize * width);
    Tensor y = conv.forward(windows, hidden.dtype());
    if (convAct != null) {
      y = Elementwise.activation(dropout.forward(y), convAct);
    }
    return DebertaParts.withoutPadding(convNorm.forward(y, hidden), batch);
  }

  @Override
  public void prepare(TokenBatch batch) {
    DebertaParts.prepare(batch);
    if (conv != null) {
      neighbours(batch);
    }
  }

  private Ids neighbours(TokenBatch batch) {
    int tokens = batch.tokens();
    return batch.derived("neighbours", tokens * convSize, tokens + 1L, l -> neighbours(l, tokens));
  }

  /** The rows of each token and its neighbours, one past the last where there is none. */
  private long[] neighbours(BatchLayout layout, int tokens) {
    long[] rows = new long[tokens * convSize];
    Arrays.fill(rows, tokens);
    long[] at = new long[layout.sequences() * layout.length()];
    Arrays.fill(at, tokens);
    for (int i = 0; i < layout.tokens(); i++) {
      at[(int) layout.place(i)] = i;
    }
    for (int i = 0; i < layout.tokens(); i++) {
      for (int k = 0; k < convSize; k++) {
        long position = layout.positions()[i] + k - (convSize - 1) / 2;
        if (position >= 0 && position < layout.length()) {
          rows[i * convSize + k] = at[(int) (layout.place(i) - layout.positions()[i] + position)];
        }
      }
    }
    return rows;
  }

  @Override
  public Tensor paddingBias(Device device, BatchLayout layout) {
    return DebertaParts.paddingBias(device, layout);
  }

  @Override
  public HeadLayer head() {
    return head;
  }

  @Override
  public boolean isOtherHead(String name) {
    return DebertaParts.isOtherHead(name);
  }

  @Override
  public Limits limits() {
    return embeddings.limits(maxLength, hiddenSize);
  }
}
