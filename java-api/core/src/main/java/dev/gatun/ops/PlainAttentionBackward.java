package dev.gatun.ops;

import dev.gatun.kernels.api.call.attention.AttentionBackward;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;

/**
 * The gradients of attention on all pairs of queries and keys (Dao et al., arXiv 2205.14135,
 * appendix B), as {@link Attention}'s plain form: with the probabilities P,
 *
 * <pre>
 * dV = Pᵀ dO;  dP = dO Vᵀ;  dS = P (dP - Σ P dP);  dQ = scale dS K;  dK = scale dSᵀ Q
 * </pre>
 *
 * <p>The probabilities are computed again; a softcap multiplies dS by {@code 1 - (S / cap)²} before
 * it passes to queries and keys, a bias and sinks take theirs before. What no query may see is 0
 * whatever lies there.
 */
final class PlainAttentionBackward {
  private final Tensor query;
  private final Attention.Keys keys;
  private final Attention.Scores scores;
  private final Attention.Mask mask;
  private final PlainAttention layout;

  PlainAttentionBackward(
      Tensor query,
      Segments queries,
      Attention.Keys keys,
      Attention.Scores scores,
      Attention.Mask mask) {
    this.query = query;
    this.keys = keys;
    this.scores = scores;
    this.mask = mask;
    this.layout = new PlainAttention(query, queries, keys);
  }

  /**
   * The gradients, F32.
   *
   * @param result of attention: the output and its log-sum-exp
   * @param of the gradients of its results, that of the output at least
   */
  Attention.Gradients run(
      Attention.Result result, Attention.Result of, boolean withBias, boolean withSinks) {
    Tensor weights = layout.run(scores, mask, false, true).weights();
    Tensor p = layout.pairs(weights);
    Tensor k = layout.seenKeys(mask.keys());
    Tensor dOutput = layout.byHead(of.output());
    Tensor dv = Plain.product(turned(p), turned(dOutput));
    Tensor dp = Plain.product(dOutput, layout.seenValues(mask.keys()));
    dp = of.weights() == null ? dp : Elementwise.add(dp, layout.pairs(of.weights()));
    Tensor less = Plain.sumOfRows(Elementwise.multiply(p, dp));
    less = query.dtype() == DType.F32 || of.weights() != null ? less : ofOutput(result, of, less);
    less = of.lse() == null ? less : Elementwise.subtract(less, layout.column(of.lse()));
    Tensor ds = Elementwise.multiply(p, Elementwise.subtract(dp, less));
    Tensor dbias =
        withBias
            ? Layouts.contiguous(
                ElementwiseGradients.summed(layout.scores(ds), scores.bias().shape()))
            : null;
    Tensor dsinks =
        withSinks
            ? Plain.negated(layout.sumOfQueries(Elementwise.multiply(shares(result.lse()), less)))
            : null;
    Tensor q = layout.byHead(query);
    if (scores.softcap() > 0) {
      Tensor part = Plain.times(Plain.product(q, k), scores.scale() / (double) scores.softcap());
      Tensor t = Elementwise.activation(part, Activation.TANH);
      Tensor one = Plain.number(t.device(), 1);
      ds = Elementwise.multiply(ds, Elementwise.subtract(one, Elementwise.multiply(t, t)));
    }
    Tensor scaled = Plain.times(ds, scores.scale());
    return new Attention.Gradients(
        layout.likeQueries(Plain.product(scaled, turned(k))),
        layout.likeKeys(Plain.product(turned(scaled), turned(q)), keys.key().size(-1)),
        layout.likeKeys(dv, keys.value().size(-1)),
        dbias,
        dsinks);
  }

  /**
   * {@code Σ P dP} by the output, which was rounded: {@code Σ dO O}, but where the lse is large.
   */
  private Tensor ofOutput(Attention.Result result, Attention.Result of, Tensor own) {
    Tensor total =
        Plain.sumOfRows(
            Elementwise.multiply(layout.byHead(of.output()), layout.byHead(result.output())));
    Tensor lse = Plain.absolute(layout.column(result.lse()));
    Tensor most = Plain.number(lse.device(), AttentionBackward.EXACT_LSE);
    return Plain.where(Elementwise.less(most, lse), own, total);
  }

  /** {@code exp(sink - lse)}, the sinks' probabilities, [batch heads, queries, 1]. */
  private Tensor shares(Tensor lse) {
    Tensor sinks = scores.sinks().reshape(1, scores.sinks().size(0), 1);
    Tensor x = Elementwise.subtract(sinks, lse);
    // For sigmoid(x) = exp(x) sigmoid(-x).
    return layout.column(
        Elementwise.divide(
            Elementwise.activation(x, Activation.SIGMOID),
            Elementwise.activation(Plain.negated(x), Activation.SIGMOID)));
  }

  private static Tensor turned(Tensor x) {
    return MatmulGradients.turned(x);
  }
}
