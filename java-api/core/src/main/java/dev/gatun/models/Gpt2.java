package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.CausalAttention;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.KvCache;
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
 * GPT-2 (Radford et al., 2019) and GPT-3's class (Brown et al., arXiv 2005.14165): learned
 * positions, a norm before each part and one behind the last.
 */
final class Gpt2 implements Decoder {
  private final Embedding wte;
  private final Embedding wpe;
  private final Dropout dropout;
  private final List<Layer> h = new ArrayList<>();
  private final LayerNorm lnF;
  private final Linear lmHead;
  private final Limits limits;
  private final KvCache.Shape cacheShape;

  private record Layer(
      int index,
      LayerNorm ln1,
      Linear cAttn,
      CausalAttention attn,
      Linear attnCProj,
      LayerNorm ln2,
      Linear cFc,
      Linear mlpCProj) {

    Tensor forward(Tensor x, TokenBatch batch, Trace trace) {
      try (Scope scope = Scope.open()) {
        Tensor qkv = cAttn.forwardNarrow(ln1.withSum(x, null, cAttn).x());
        Tensor attended = trace.attend(attn, qkv, batch, index, scope);
        NormedSum middle = ln2.withSum(attnCProj.forward(attended, x.dtype()), x, cFc);
        Tensor fed = mlpCProj.forward(cFc.forwardNarrow(middle.x()), x.dtype());
        return scope.keep(Elementwise.add(middle.sum(), fed));
      }
    }
  }

  Gpt2(Config config, Weights all) {
    config.require("add_cross_attention", false, "no encoder is there to attend to");
    Weights weights = all.body("transformer");
    int hidden = config.positive("n_embd");
    int length = config.positive("n_positions", 1024);
    int heads = config.divisor("n_head", hidden);
    int size = hidden / heads;
    int inner = config.positive("n_inner", 4 * hidden);
    double eps = config.eps("layer_norm_epsilon", 1e-5);
    Activation activation = config.activation("activation_function", "gelu_new");
    TiedTable table = new TiedTable(config, all, weights, "wte", "lm_head", true);
    wte = table.embedding(config.positive("vocab_size"), hidden);
    wpe = weights.embedding("wpe", length, hidden);
    dropout = config.dropout("embd_pdrop", 0.1);
    Dropout residual = config.dropout("resid_pdrop", 0.1);
    RotaryPositionalEmbedding none =
        weights.loader().own(RotaryPositionalEmbedding.none(weights.device(), length));
    int count = config.positive("n_layer");
    for (int i = 0; i < count; i++) {
      Weights layer = weights.sub("h." + i);
      double scale = config.flag("scale_attn_weights", true) ? 1 / Math.sqrt(size) : 1;
      if (config.flag("scale_attn_by_inverse_layer_idx", false)) {
        scale /= i + 1;
      }
      h.add(
          new Layer(
              i,
              layer.layerNorm("ln_1", hidden, eps),
              layer.conv1d("attn.c_attn", 3L * hidden, hidden, Activation.NONE),
              CausalAttention.of(heads, heads, size, none)
                  .withScores(Attention.Scores.scaled((float) scale))
                  .withDropout(config.dropout("attn_pdrop", 0.1)),
              layer
                  .conv1d("attn.c_proj", hidden, hidden, Activation.NONE)
                  .withOutputDropout(residual),
              layer.layerNorm("ln_2", hidden, eps),
              layer.conv1d("mlp.c_fc", inner, hidden, activation),
              layer
                  .conv1d("mlp.c_proj", hidden, inner, Activation.NONE)
                  .withOutputDropout(residual)));
    }
    lnF = weights.layerNorm("ln_f", hidden, eps);
    lmHead = table.output(wte);
    limits = new Limits((int) wte.rows(), 0, length, length, hidden);
    cacheShape = new KvCache.Shape(count, heads, size, h.getFirst().cAttn.between());
  }

  @Override
  public Tensor forward(TokenBatch batch, Trace trace) {
    Tensor x = wpe.addTo(wte.forward(batch.ids()), batch.positions());
    return trace.through(
        dropout.forward(x),
        h.size(),
        (i, states) -> h.get(i).forward(states, batch, trace),
        lnF::forward);
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
        || name.matches("(transformer\\.)?h\\.\\d+\\.attn\\.(masked_)?bias")
        || name.startsWith("score.")
        || name.startsWith("multiple_choice_head.");
  }
}
