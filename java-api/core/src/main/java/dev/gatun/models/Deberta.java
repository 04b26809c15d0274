package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.Linear;
import dev.gatun.ops.Layouts;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * DeBERTa (He et al., arXiv 2006.03654): attention whose scores add content-to-position and
 * position-to-content parts over relative positions.
 */
final class Deberta implements Encoder {
  private final DebertaParts.Embeddings embeddings;
  private final DebertaParts.Relative relative;
  private final Tensor relEmbeddings;
  private final Dropout dropout;
  private final Dropout ofProbabilities;
  private final List<EncoderLayer> layer = new ArrayList<>();
  private final HeadLayer head;
  private final int hiddenSize;
  private final int maxLength;

  Deberta(Config config, Head head, Weights all) {
    Weights weights = all.body("deberta");
    int hidden = config.positive("hidden_size");
    hiddenSize = hidden;
    int heads = config.divisor("num_attention_heads", hidden);
    config.require("talking_head", false, "heads are not mixed");
    double eps = config.eps("layer_norm_eps", 1e-7);
    maxLength = config.positive("max_position_embeddings", 512);
    embeddings = DebertaParts.Embeddings.of(config, all, weights.sub("embeddings"), hidden, eps);
    Weights encoder = weights.sub("encoder");
    relative = DebertaParts.Relative.of(config, false);
    dropout = DebertaParts.dropout(config);
    ofProbabilities = DebertaParts.ofProbabilities(config);
    relEmbeddings =
        relative.isOn() ? encoder.take("rel_embeddings.weight", 2 * relative.span(), hidden) : null;
    for (int i = 0; i < config.positive("num_hidden_layers"); i++) {
      Weights l = encoder.sub("layer." + i);
      layer.add(
          EncoderLayer.around(
              config, l, hidden, eps, attention(l.sub("attention.self"), hidden, heads)));
    }
    this.head = DebertaParts.head(config, head, all, embeddings.word(), hidden, eps);
  }

  /** The rows of in_proj are, head by head, those of query, key and value; the key has no bias. */
  private EncoderLayer.SelfAttention attention(Weights weights, int hidden, int heads) {
    int size = hidden / heads;
    Linear inProj =
        weights.areParameters() ? composed(weights, hidden, heads) : joined(weights, hidden, heads);
    boolean on = relative.isOn();
    Linear posProj =
        on && relative.c2p()
            ? weights.linear("pos_proj", hidden, hidden, false, Activation.NONE)
            : null;
    Linear posQProj = on && relative.p2c() ? weights.linear("pos_q_proj", hidden, hidden) : null;
    return (x, batch, _, trace) -> {
      Tensor joined = inProj.forward(x);
      Tensor positions = on ? dropout.forward(relEmbeddings) : null;
      long[] shape = {x.size(0), heads, size};
      long[] strides = {3L * hidden, 3L * size, 1};
      return DebertaParts.attend(
          joined.strided(0, shape, strides),
          joined.strided(size, shape, strides),
          joined.strided(2L * size, shape, strides),
          posProj == null ? null : posProj.forward(positions).reshape(-1, heads, size),
          posQProj == null ? null : posQProj.forward(positions).reshape(-1, heads, size),
          relative,
          ofProbabilities,
          batch,
          trace);
    };
  }

  private static Linear joined(Weights weights, int hidden, int heads) {
    int size = hidden / heads;
    float[] bias = new float[3 * hidden];
    float[] queryBias = weights.elements("q_bias", hidden);
    float[] valueBias = weights.elements("v_bias", hidden);
    for (int h = 0; h < heads; h++) {
      System.arraycopy(queryBias, h * size, bias, 3 * h * size, size);
      System.arraycopy(valueBias, h * size, bias, (3 * h + 2) * size, size);
    }
    return weights.linear("in_proj", hidden, bias);
  }

  /** The same layer of parameters. */
  private static Linear composed(Weights weights, int hidden, int heads) {
    long size = hidden / heads;
    Tensor weight = weights.take("in_proj.weight", 3L * hidden, hidden);
    Tensor query = weights.take("q_bias", hidden).reshape(heads, size);
    Tensor value = weights.take("v_bias", hidden).reshape(heads, size);
    Tensor none = weights.loader().own(Tensor.zeros(weights.device(), heads, size));
    return weights
        .loader()
        .composed(
            3L * hidden,
            () -> weight,
            () -> Layouts.concat(1, List.of(query, none, value)).reshape(-1),
            Activation.NONE);
  }

  @Override
  public Tensor forward(TokenBatch batch, Trace trace) {
    return trace.through(embeddings.forward(batch), layer, batch);
  }

  @Override
  public void prepare(TokenBatch batch) {
    DebertaParts.prepare(batch);
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
