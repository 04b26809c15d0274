package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.CausalAttention;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.LayerInput;
import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.nn.RotaryPositionalEmbedding;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;

/**
 * GPT (Radford et al., "Improving Language Understanding by Generative Pre-Training", 2018):
 * learned positions, and each part followed by the norm of its sum with its input.
 */
final class OpenaiGpt implements Decoder {
  private final Embedding tokensEmbed;
  private final Embedding positionsEmbed;
  private final Dropout dropout;
  private final List<Layer> h = new ArrayList<>();
  private final Linear lmHead;
  private final Limits limits;
  private final KvCache.Shape cacheShape;

  private record Layer(
      int index,
      Linear cAttn,
      CausalAttention attn,
      Linear attnCProj,
      LayerNorm ln1,
      Linear cFc,
      Linear mlpCProj,
      LayerNorm ln2) {

    Tensor forward(Tensor x, TokenBatch batch, Trace trace) {
      try (Scope scope = Scope.open()) {
        Tensor attended = trace.attend(attn, cAttn.forwardNarrow(x), batch, index, scope);
        LayerInput n = ln1.forward(attnCProj.forward(attended, x.dtype()), x, cFc);
        Tensor fed = mlpCProj.forward(cFc.forwardNarrow(n), x.dtype());
        return scope.keep(ln2.forward(fed, n.x()));
      }
    }
  }

  OpenaiGpt(Config config, Weights all) {
    Weights weights = all.body("transformer");
    int hidden = config.positive("n_embd");
    int length = config.positive("n_positions", 512);
    int heads = config.divisor("n_head", hidden);
    int size = hidden / heads;
    double eps = config.eps("layer_norm_epsilon", 1e-5);
    TiedTable table = new TiedTable(config, all, weights, "tokens_embed", "lm_head", true);
    tokensEmbed = table.embedding(config.positive("vocab_size"), hidden);
    positionsEmbed = weights.embedding("positions_embed", length, hidden);
    dropout = config.dropout("embd_pdrop", 0.1);
    Dropout residual = config.dropout("resid_pdrop", 0.1);
    RotaryPositionalEmbedding none =
        weights.loader().own(RotaryPositionalEmbedding.none(weights.device(), length));
    int count = config.positive("n_layer");
    for (int i = 0; i < count; i++) {
      Weights layer = weights.sub("h." + i);
      h.add(
          new Layer(
              i,
              layer.conv1d("attn.c_attn", 3L * hidden, hidden, Activation.NONE),
              CausalAttention.of(heads, heads, size, none)
                  .withDropout(config.dropout("attn_pdrop", 0.1)),
              layer
                  .conv1d("attn.c_proj", hidden, hidden, Activation.NONE)
                  .withOutputDropout(residual),
              layer.layerNorm("ln_1", hidden, eps),
              layer.conv1d("mlp.c_fc", 4L * hidden, hidden, activation(config)),
              layer
                  .conv1d("mlp.c_proj", hidden, 4L * hidden, Activation.NONE)
                  .withOutputDropout(residual),
              layer.layerNorm("ln_2", hidden, eps)));
    }
    lmHead = table.output(tokensEmbed);
    limits = new Limits((int) tokensEmbed.rows(), 0, length, length, hidden);
    cacheShape = new KvCache.Shape(count, heads, size, h.getFirst().cAttn.between());
  }

  /** What this family means by its names: gelu is the approximation. */
  private static Activation activation(Config config) {
    return switch (config.text("afn", "gelu")) {
      case "gelu" -> Activation.GELU_TANH;
      case "relu" -> Activation.RELU;
      case "silu", "swish" -> Activation.SILU;
      default -> throw config.wrong("afn", "gelu, relu, silu or swish");
    };
  }

  @Override
  public Tensor forward(TokenBatch batch, Trace trace) {
    Tensor x = positionsEmbed.addTo(tokensEmbed.forward(batch.ids()), batch.positions());
    return trace.through(
        dropout.forward(x),
        h.size(),
        (i, states) -> h.get(i).forward(states, batch, trace),
        last -> last);
  }

  @Override
  public Linear output() {
    return lmHead;
  }

  @Override
  public Limits limits() {
    return limits;
  }

  @Override
  public KvCache.Shape cacheShape() {
    return cacheShape;
  }

  @Override
  public boolean isOtherHead(String name) {
    return name.equals("lm_head.weight")
        || name.matches("(transformer\\.)?(position_ids|h\\.\\d+\\.attn\\.bias)")
        || name.startsWith("score.")
        || name.startsWith("multiple_choice_head.");
  }
}
