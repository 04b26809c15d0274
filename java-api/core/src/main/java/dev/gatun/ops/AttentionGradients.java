package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.call.elementwise.Activation;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;

/**
 * The gradients of attention on all pairs of queries and keys (Dao et al., arXiv 2205.14135,
 * appendix B): with the probabilities P, dropped and scaled to Z P,
 *
 * <pre>
 * dV = (Z P)ᵀ dO;  dP = Z (dO Vᵀ);  dS = P (dP - Σ P dP);  dQ = scale dS K;  dK = scale dSᵀ Q
 * </pre>
 *
 * <p>The probabilities are computed again; a softcap multiplies dS by {@code 1 - (S / cap)²} before
 * it passes to queries and keys, a bias and sinks take theirs before. What no query may see is 0
 * whatever lies there.
 */
final class AttentionGradients {
  private final Node node;
  private final Tensor query;
  private final Segments queries;
  private final Attention.Keys keys;
  private final Attention.Scores scores;
  private final Attention.Mask mask;
  private final Dropout dropout;

  private AttentionGradients(
      Node node,
      Tensor query,
      Segments queries,
      Attention.Keys keys,
      Attention.Scores scores,
      Attention.Mask mask,
      Dropout dropout) {
    this.node = node;
    this.query = node.save(query);
    this.queries = node.save(queries);
    this.keys =
        new Attention.Keys(
            node.save(keys.key()),
            node.save(keys.value()),
            node.save(keys.segments()),
            node.save(keys.lengths()),
            keys.longest(),
            null,
            keys.pagesBelow(),
            null);
    this.scores =
        new Attention.Scores(
            scores.scale(),
            scores.softcap(),
            node.save(scores.bias()),
            node.save(scores.slopes()),
            node.save(scores.sinks()));
    this.mask = new Attention.Mask(mask.causal(), mask.window(), node.save(mask.keys()));
    this.dropout = dropout;
  }

  /** Records attention: the inputs are query, key, value, bias and sinks. */
  static void record(
      Node node,
      Tensor query,
      Segments queries,
      Attention.Keys keys,
      Attention.Scores scores,
      Attention.Mask mask,
      Dropout dropout,
      Attention.Result result) {
    AttentionGradients gradients =
        new AttentionGradients(node, query, queries, keys, scores, mask, dropout);
    node.record(gradients::run, result.output(), result.lse(), result.weights());
  }

  private void run() {
    PlainAttention layout = new PlainAttention(query, queries, keys);
    Tensor p = probabilities(Dropout.NONE);
    Tensor kept = dropout.probability() > 0 ? probabilities(dropout) : null;
    Tensor k = layout.seenKeys(mask.keys());
    Tensor v = layout.seenValues(mask.keys());
    Tensor dOutput = node.gradient(0) == null ? null : layout.byHead(node.gradient(0));
    Tensor dWeights = node.gradient(2) == null ? null : layout.pairs(node.gradient(2));
    if (dOutput != null && node.needs(2)) {
      Tensor given = kept == null ? p : kept;
      Tensor dv = Matmul.batchedMatmul(turned(given), turned(dOutput));
      node.give(2, layout.likeKeys(dv, keys.value().size(-1)));
    }
    Tensor dp = dOutput == null ? dWeights : Matmul.batchedMatmul(dOutput, v);
    if (dOutput != null && dWeights != null) {
      dp = Elementwise.add(dp, dWeights);
    }
    dp = dp == null || kept == null ? dp : scaledWhereKept(dp, kept);
    Tensor less = rest(dp, p, layout);
    Tensor ds = Elementwise.multiply(p, dp == null ? less : Elementwise.add(dp, less));
    giveScores(layout, ds);
    if (node.needs(4)) {
      Tensor here = Plain.sumOfRows(p);
      Tensor ofSink = Elementwise.subtract(Plain.number(p.device(), 1), here);
      node.give(4, layout.sumOfHeads(Elementwise.multiply(ofSink, less)));
    }
    if (node.needs(0) || node.needs(1)) {
      Tensor q = layout.byHead(query);
      if (scores.softcap() > 0) {
        Tensor part =
            Plain.times(Matmul.batchedMatmul(q, k), scores.scale() / (double) scores.softcap());
        Tensor t = Elementwise.activation(part, Activation.TANH);
        Tensor slope =
            Elementwise.subtract(Plain.number(t.device(), 1), Elementwise.multiply(t, t));
        ds = Elementwise.multiply(ds, slope);
      }
      Tensor scaled = Plain.times(ds, scores.scale());
      node.give(0, layout.likeQueries(Matmul.batchedMatmul(scaled, turned(k))));
      if (node.needs(1)) {
        Tensor dk = Matmul.batchedMatmul(turned(scaled), turned(q));
        node.give(1, layout.likeKeys(dk, keys.key().size(-1)));
      }
    }
  }

  /** What each row's differences are less than their own part: {@code dlse - Σ P dP}, a column. */
  private Tensor rest(Tensor dp, Tensor p, PlainAttention layout) {
    Tensor dLse = node.gradient(1) == null ? null : layout.column(node.gradient(1));
    if (dp == null) {
      return dLse;
    }
    Tensor less = Plain.negated(Plain.sumOfRows(Elementwise.multiply(p, dp)));
    return dLse == null ? less : Elementwise.add(less, dLse);
  }

  private void giveScores(PlainAttention layout, Tensor ds) {
    if (node.needs(3)) {
      Tensor full = layout.scores(ds);
      node.give(3, ElementwiseGradients.summed(full, scores.bias().shape()));
    }
  }

  /** The probabilities after dropout, F32 [batch heads, queries, keys]. */
  private Tensor probabilities(Dropout by) {
    Tensor weights =
        Attention.scaledDotProductAttention(query, queries, keys, scores, mask, by, false, true)
            .weights();
    return weights.reshape(weights.size(0) * weights.size(1), weights.size(2), weights.size(3));
  }

  private Tensor scaledWhereKept(Tensor dp, Tensor kept) {
    double scale = 1 / (1 - (double) dropout.probability());
    return Elementwise.keepWhere(Plain.times(dp, scale), kept);
  }

  private static Tensor turned(Tensor x) {
    return MatmulGradients.turned(x);
  }
}
