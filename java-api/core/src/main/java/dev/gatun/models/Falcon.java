package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.nn.CausalAttention;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.Embedding;
import dev.gatun.nn.KvCache;
import dev.gatun.nn.LayerInput;
import dev.gatun.nn.LayerNorm;
import dev.gatun.nn.Linear;
import dev.gatun.nn.NormedSum;
import dev.gatun.nn.RotaryPositionalEmbedding;
import dev.gatun.ops.Elementwise;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Falcon (arXiv 2311.16867): one head of keys and values for all queries or for a group of them,
 * attention and feed-forward side by side on one norm or on two, or one after another; rotary
 * positions or ALiBi's.
 */
final class Falcon implements Decoder {
  private final Embedding wordEmbeddings;
  private final List<Layer> h = new ArrayList<>();
  private final LayerNorm lnF;
  private final Linear lmHead;
  private final Limits limits;
  private final KvCache.Shape cacheShape;

  /**
   * A layer.
   *
   * @param parallel whether both parts read the layer's input
   * @param lnMlp the feed-forward network's own norm; null where it reads attention's
   * @param dropout of what a layer adds last: both parts where they are parallel
   */
  private record Layer(
      int index,
      boolean parallel,
      LayerNorm lnAttn,
      Linear queryKeyValue,
      CausalAttention selfAttention,
      Linear dense,
      LayerNorm lnMlp,
      Linear denseHTo4h,
      Linear dense4hToH,
      Dropout dropout) {

    Tensor forward(Tensor x, TokenBatch batch, Trace trace) {
      try (Scope scope = Scope.open()) {
        LayerInput n = lnAttn.withSum(x, null, queryKeyValue).x();
        Tensor qkv = queryKeyValue.forwardNarrow(n);
        Tensor attended = trace.attend(selfAttention, qkv, batch, index, scope);
        Tensor a = dense.forward(attended, x.dtype());
        if (!parallel) {
          NormedSum middle = lnMlp.withSum(a, x, denseHTo4h);
          Tensor fed = dense4hToH.forward(denseHTo4h.forwardNarrow(middle.x()), x.dtype());
          return scope.keep(Elementwise.add(dropout.forward(fed), middle.sum()));
        }
        LayerInput read = lnMlp == null ? n : lnMlp.withSum(x, null, denseHTo4h).x();
        Tensor fed = dense4hToH.forward(denseHTo4h.forwardNarrow(read), x.dtype());
        return scope.keep(Elementwise.add(dropout.forward(Elementwise.add(fed, a)), x));
      }
    }
  }

  Falcon(Config config, Weights all) {
    Weights weights = all.body("transformer");
    int hidden = config.positive("hidden_size");
    int length = config.positive("max_position_embeddings", 2048);
    int heads = config.divisor("num_attention_heads", hidden);
    boolean grouped = config.flag("new_decoder_architecture", false);
    boolean single = !grouped && config.flag("multi_query", true);
    boolean parallel = grouped || config.flag("parallel_attn", true);
    boolean two = grouped && config.integer("num_ln_in_parallel_attn", 2) == 2;
    if (grouped) {
      config.withoutEffect("multi_query", "parallel_attn");
    } else {
      config.withoutEffect("num_kv_heads", "num_ln_in_parallel_attn");
    }
    int kvHeads = grouped ? config.positive("num_kv_heads", heads) : single ? 1 : heads;
    if (heads % kvHeads != 0) {
      throw config.wrong("num_kv_heads", "a divisor of the %d heads".formatted(heads));
    }
    int size = hidden / heads;
    int inner = config.positive("ffn_hidden_size", 4 * hidden);
    double eps = config.eps("layer_norm_epsilon", 1e-5);
    boolean bias = config.flag("bias", false);
    Activation activation = config.activation("activation", "gelu");
    TiedTable table = new TiedTable(config, all, weights, "word_embeddings", "lm_head", true);
    wordEmbeddings = table.embedding(config.positive("vocab_size"), hidden);
    Map<String, Object> rope =
        config.flag("alibi", false) ? Map.of() : RopeConfig.parameters(config);
    int switchLength = RopeConfig.switchLength(rope, length);
    CausalAttention attention = attention(config, rope, weights, heads, kvHeads, size, length);
    Dropout ofAttention = config.dropout("attention_dropout", 0);
    int count = config.positive("num_hidden_layers");
    for (int i = 0; i < count; i++) {
      Weights layer = weights.sub("h." + i);
      h.add(
          new Layer(
              i,
              parallel,
              layer.layerNorm(two ? "ln_attn" : "input_layernorm", hidden, eps),
              layer.grouped(
                  "self_attention.query_key_value", kvHeads, heads / kvHeads, size, hidden, bias),
              attention,
              layer
                  .linear("self_attention.dense", hidden, hidden, bias, Activation.NONE)
                  .withOutputDropout(parallel ? Dropout.NONE : ofAttention),
              two
                  ? layer.layerNorm("ln_mlp", hidden, eps)
                  : parallel ? null : layer.layerNorm("post_attention_layernorm", hidden, eps),
              layer.linear("mlp.dense_h_to_4h", inner, hidden, bias, activation),
              layer.linear("mlp.dense_4h_to_h", hidden, inner, bias, Activation.NONE),
              config.dropout("hidden_dropout", 0)));
    }
    lnF = weights.layerNorm("ln_f", hidden, eps);
    lmHead = table.output(wordEmbeddings);
    limits = new Limits((int) wordEmbeddings.rows(), 0, length, switchLength + length, hidden);
    cacheShape =
        new KvCache.Shape(count, kvHeads, size, h.getFirst().queryKeyValue.between())
            .withSwitchLength(switchLength);
  }

  private static CausalAttention attention(
      Config config,
      Map<String, Object> rope,
      Weights weights,
      int heads,
      int kvHeads,
      int size,
      int length) {
    if (!config.flag("alibi", false)) {
      return CausalAttention.of(
          heads,
          kvHeads,
          size,
          weights
              .loader()
              .own(RopeConfig.tables(config, rope, weights.device(), size, length, false)));
    }
    config.withoutEffect("rope_parameters", "rope_scaling", "rope_theta");
    RotaryPositionalEmbedding none =
        weights.loader().own(RotaryPositionalEmbedding.none(weights.device(), length));
    CausalAttention attention = CausalAttention.of(heads, kvHeads, size, none);
    float[] slopes = Alibi.slopes(heads);
    for (int i = 0; i < heads; i++) {
      // This family scales the sum of score and bias.
      slopes[i] *= attention.scores().scale();
    }
    Tensor scaled = weights.loader().own(Tensor.of(weights.device(), slopes, heads));
    // As transformers has it, with these positions alone.
    return attention
        .withScores(attention.scores().withSlopes(scaled))
        .withDropout(config.dropout("attention_dropout", 0));
  }

  @Override
  public Tensor forward(TokenBatch batch, Trace trace) {
    return trace.through(
        wordEmbeddings.forward(batch.ids()),
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
        || name.startsWith("score.")
        || name.endsWith("rotary_emb.inv_freq");
  }
}
