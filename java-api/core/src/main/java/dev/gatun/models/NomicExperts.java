package dev.gatun.models;

import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.nn.Dropout;
import dev.gatun.nn.ExpertsLinear;
import dev.gatun.nn.LayerInput;
import dev.gatun.nn.Linear;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Experts;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;

/**
 * NomicBERT's mixtures of experts (Nussbaum and Duderstadt, arXiv 2502.07972), without gates, as
 * MegaBlocks has them (arXiv 2211.15841).
 *
 * @param router in F32 whatever the others are: rounding would choose other experts
 * @param settings the experts of a token, and whether their weights add up to 1
 * @param w1 of each expert
 * @param w2 likewise
 * @param bias of all experts as one, added to their weighted sum; null for none
 * @param dropout of the result
 */
record NomicExperts(
    Linear router,
    NomicBertConfig.Experts settings,
    ExpertsLinear w1,
    Activation activation,
    ExpertsLinear w2,
    Tensor bias,
    Dropout dropout)
    implements FeedForward {

  static NomicExperts of(
      NomicBertConfig.Experts settings,
      Weights mlp,
      int hidden,
      int inner,
      Activation activation,
      Dropout dropout) {
    int count = settings.count();
    Weights experts = mlp.sub("experts");
    // GGUF's experts are read as one tensor each, and its writers leave the bias out.
    boolean separate = experts.hasAny("0");
    return new NomicExperts(
        mlp.exactLinear("router.layer", count, hidden, Activation.NONE),
        settings,
        separate
            ? mlp.experts(count, inner, hidden, "w1")
            : experts.flatExperts("mlp.w1", count, inner, hidden),
        activation,
        separate
            ? mlp.experts(count, hidden, inner, "w2")
            : experts.flatTransposedExperts("mlp.w2", count, hidden, inner),
        separate && !experts.has("bias") ? null : experts.take("bias", hidden),
        dropout);
  }

  @Override
  public Tensor forward(LayerInput input, TokenBatch batch, DType dtype, Trace trace, Scope scope) {
    Tensor x = input.x();
    Tensor logits = router.forward(Elementwise.cast(x, DType.F32));
    Experts.Routing routing =
        Experts.route(logits, settings.perToken(), settings.renormalize(), 1, null);
    Tensor wide = w1.forward(x, routing.rows(), routing, w1.between());
    Tensor y = w2.forward(Elementwise.activation(wide, activation), null, routing, dtype);
    Tensor sum = Experts.combine(y, routing, null, dtype);
    return dropout.forward(
        bias == null ? sum : Elementwise.add(sum, Elementwise.cast(bias, dtype)));
  }

  /** Experts gather rows of the norm's results: they take no codes of it. */
  @Override
  public Linear reader() {
    return null;
  }
}
