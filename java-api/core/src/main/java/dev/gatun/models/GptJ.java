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
import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.Loader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * GPT-J (Wang and Komatsuzaki, 2021): attention and feed-forward side by side on one norm, and
 * rotary positions of neighbours in a part of each head.
 */
final class GptJ implements Decoder {
  private final Embedding wte;
  private final Dropout dropout;
  private final List<Layer> h = new ArrayList<>();
  private final LayerNorm lnF;
  private final Linear lmHead;
  private final Limits limits;
  private final KvCache.Shape cacheShape;

  private record Layer(
      int index,
      LayerNorm ln1,
      Linear qkvProj,
      CausalAttention attn,
      Linear outProj,
      Linear fcIn,
      Linear fcOut) {

    Tensor forward(Tensor x, TokenBatch batch, Trace trace) {
      try (Scope scope = Scope.open()) {
        LayerInput n = ln1.withSum(x, null, qkvProj).x();
        Tensor attended = trace.attend(attn, qkvProj.forwardNarrow(n), batch, index, scope);
        Tensor a = outProj.forward(attended, x.dtype());
        Tensor fed = fcOut.forward(fcIn.forwardNarrow(n), x.dtype());
        return scope.keep(Elementwise.add(Elementwise.add(a, fed), x));
      }
    }
  }

  GptJ(Config config, Weights all) {
    Weights weights = all.body("transformer");
    int hidden = config.positive("n_embd");
    int length = config.positive("n_positions", 2048);
    int heads = config.divisor("n_head", hidden);
    int size = hidden / heads;
    int inner = config.positive("n_inner", 4 * hidden);
    int rotary = config.positive("rotary_dim", 64);
    if (rotary > size || rotary % 2 != 0) {
      throw config.wrong("rotary_dim", "an even number up to the head size " + size);
    }
    double eps = config.eps("layer_norm_epsilon", 1e-5);
    Activation activation = config.activation("activation_function", "gelu_new");
    TiedTable table = new TiedTable(config, all, weights, "wte", "lm_head", false);
    wte = table.embedding(config.positive("vocab_size"), hidden);
    dropout = config.dropout("embd_pdrop", 0);
    Dropout residual = config.dropout("resid_pdrop", 0);
    RotaryPositionalEmbedding turns =
        weights
            .loader()
            .own(
                RopeConfig.tables(
                    config, Map.of("rope_theta", 10000), weights.device(), rotary, length, true));
    int count = config.positive("n_layer");
    for (int i = 0; i < count; i++) {
      Weights layer = weights.sub("h." + i);
      Weights attn = layer.sub("attn");
      h.add(
          new Layer(
              i,
              layer.layerNorm("ln_1", hidden, eps),
              attn.joined(
                  hidden,
                  new Loader.Layer("q_proj", hidden, false),
                  new Loader.Layer("k_proj", hidden, false),
                  new Loader.Layer("v_proj", hidden, false)),
              CausalAttention.of(heads, heads, size, turns)
                  .withDropout(config.dropout("attn_pdrop", 0)),
              attn.linear("out_proj", hidden, hidden, false, Activation.NONE)
                  .withOutputDropout(residual),
              layer.linear("mlp.fc_in", inner, hidden, true, activation),
              layer.linear("mlp.fc_out", hidden, inner).withOutputDropout(residual)));
    }
    lnF = weights.layerNorm("ln_f", hidden, eps);
    lmHead = table.output(wte);
    limits = new Limits((int) wte.rows(), 0, length, length, hidden);
    cacheShape = new KvCache.Shape(count, heads, size, h.getFirst().qkvProj.between());
  }

  @Override
  public Tensor forward(TokenBatch batch, Trace trace) {
    return trace.through(
        dropout.forward(wte.forward(batch.ids())),
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
        || name.matches("(transformer\\.)?h\\.\\d+\\.attn\\.((masked_)?bias|embed_positions)")
        || name.startsWith("score.");
  }
}
