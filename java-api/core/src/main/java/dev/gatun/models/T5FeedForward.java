package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.call.experts.ExpertCapacity;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.ExpertsLinear;
import dev.gatun.nn.LayerInput;
import dev.gatun.nn.Linear;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Experts;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import dev.gatun.weights.Loader;

/** The feed-forward networks of T5 and its relatives. */
final class T5FeedForward {
  private T5FeedForward() {}

  /** The network that the configuration gives a layer of a stack. */
  static FeedForward of(Config config, Weights layer, int index, boolean decoder) {
    int hidden = config.positive("d_model", 512);
    int inner = config.positive("d_ff", 2048);
    String type = config.text("model_type", "t5");
    if (type.equals("switch_transformers")) {
      Activation activation = config.activation("dense_act_fn", "relu");
      return isSparse(config, index, decoder)
          ? Sparse.of(config, layer.sub("mlp"), hidden, inner, activation)
          : plain(config, layer.sub("mlp"), hidden, inner, activation);
    }
    String proj = config.text("feed_forward_proj", type.equals("t5") ? "relu" : "gated-gelu");
    boolean named = proj.startsWith("gated-");
    String name =
        proj.equals("gated-gelu") ? "gelu_new" : named ? proj.substring("gated-".length()) : proj;
    // What follows from it stands in files too, and where it contradicts goes before.
    boolean gated = config.flag("is_gated_act", named && config.isMissing("is_gated_act"));
    Activation activation =
        config.has("dense_act_fn")
            ? config.activation("dense_act_fn", name)
            : config.activationNamed("feed_forward_proj", name);
    Weights block = layer.sub("DenseReluDense");
    if (!gated) {
      return plain(config, block, hidden, inner, activation);
    }
    return new FeedForward.Dense(
        block.joined(
            hidden, new Loader.Layer("wi_0", inner, false), new Loader.Layer("wi_1", inner, false)),
        new Gate(activation, true),
        output(config, block, hidden, inner));
  }

  /** What is dropped wherever a T5 drops. */
  static Dropout dropout(Config config) {
    return config.dropout("dropout_rate", 0.1);
  }

  private static Linear output(Config config, Weights block, int hidden, int inner) {
    return block
        .linear("wo", hidden, inner, false, Activation.NONE)
        .withInputDropout(dropout(config))
        .withOutputDropout(dropout(config));
  }

  private static FeedForward plain(
      Config config, Weights block, int hidden, int inner, Activation activation) {
    return new FeedForward.Dense(
        block.linear("wi", inner, hidden, false, activation),
        null,
        output(config, block, hidden, inner));
  }

  /**
   * Whether a layer of Switch Transformers is a mixture: every so many of a stack, not the first.
   */
  private static boolean isSparse(Config config, int index, boolean decoder) {
    int step = sparseStep(config, decoder);
    return step > 0 && (index % step == 1 || step == 1);
  }

  /** Which layers of a stack are mixtures: one in so many. */
  static int sparseStep(Config config, boolean decoder) {
    int encoderLayers = config.positive("num_layers", 12);
    int layers = decoder ? config.positive("num_decoder_layers", encoderLayers) : encoderLayers;
    String side = decoder ? "decoder" : "encoder";
    int sparse = config.integer("num_sparse_%s_layers".formatted(side), 3);
    int step = sparse > 0 ? layers / sparse : layers;
    return config.integer(side + "_sparse_step", step);
  }

  /**
   * A mixture, of which each token goes through the expert that it is most for, as long as that has
   * not as many of its sequence already; else through none (Switch Transformers, arXiv 2101.03961).
   *
   * @param classifier the router, in F32 whatever the others are: rounding would choose other
   *     experts
   * @param bias of the router's logits, or null
   * @param capacity tokens that an expert takes of a sequence
   * @param dropout of what is between an expert's layers, and of the result
   */
  record Sparse(
      Linear classifier,
      Tensor bias,
      long capacity,
      ExpertsLinear wi,
      Activation activation,
      ExpertsLinear wo,
      Dropout dropout)
      implements FeedForward {
    static Sparse of(Config config, Weights mlp, int hidden, int inner, Activation activation) {
      int experts = config.positive("num_experts", 8);
      Weights router = mlp.sub("router");
      return new Sparse(
          router.exactLinear("classifier", experts, hidden, Activation.NONE),
          config.flag("router_bias", false) ? router.take("classifier.bias", experts) : null,
          config.positive("expert_capacity", 64),
          mlp.expertsNamed("experts.expert_%d.wi", experts, inner, hidden),
          activation,
          mlp.expertsNamed("experts.expert_%d.wo", experts, hidden, inner),
          T5FeedForward.dropout(config));
    }

    @Override
    public Tensor forward(
        LayerInput input, TokenBatch batch, DType dtype, Trace trace, Scope scope) {
      Tensor x = input.x();
      Tensor logits = classifier.forward(Elementwise.cast(x, DType.F32));
      if (bias != null) {
        logits = Elementwise.add(logits, bias);
      }
      trace.router(logits, scope);
      ExpertCapacity room = new ExpertCapacity(capacity, batch.segments().offsets());
      Experts.Routing routing = Experts.route(logits, 1, false, 1, room);
      Tensor wide = wi.forward(x, routing.rows(), routing, wi.between());
      Tensor between = dropout.forward(Elementwise.activation(wide, activation));
      Tensor y = wo.forward(between, null, routing, dtype);
      return dropout.forward(Experts.combine(y, routing, null, dtype));
    }

    /** Experts gather rows of the norm's results: they take no codes of it. */
    @Override
    public Linear reader() {
      return null;
    }
  }
}
