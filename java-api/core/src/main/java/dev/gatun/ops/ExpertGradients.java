package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Tensor;
import java.util.List;

/** The gradients of {@link Experts}; places that no token has neither give nor take any. */
final class ExpertGradients {
  private ExpertGradients() {}

  /**
   * Records a routing: the weights are a softmax of the chosen logits, or of all, times a scale.
   * The choice itself has no slope.
   */
  static void route(
      Node node, Tensor logits, boolean renormalize, float scale, Experts.Routing routing) {
    Tensor kept = node.save(logits);
    Tensor experts = node.save(routing.experts());
    node.record(
        () -> {
          Tensor dw = Plain.times(node.gradient(), scale);
          Tensor wide = Plain.wide(kept);
          long tokens = dw.size(0);
          long k = dw.size(1);
          long all = wide.size(1);
          Tensor chosen = Plain.wide(experts).reshape(tokens, k, 1);
          Tensor slots = Elementwise.equal(chosen, Plain.count(dw.device(), all));
          if (!renormalize) {
            Tensor p = Norm.softmax(wide);
            node.give(0, throughSoftmax(p, toAll(dw, slots)));
            return;
          }
          Tensor own =
              Reductions.sum(Elementwise.keepWhere(wide.reshape(tokens, 1, all), slots), 2);
          node.give(0, toAll(throughSoftmax(Norm.softmax(own), dw), slots));
        },
        routing.weights());
  }

  private static Tensor throughSoftmax(Tensor p, Tensor dp) {
    Tensor weighed = Elementwise.multiply(p, dp);
    return Elementwise.subtract(weighed, Elementwise.multiply(p, Plain.sumOfRows(weighed)));
  }

  /** Numbers of slots [tokens, k] at their experts [tokens, experts]. */
  private static Tensor toAll(Tensor x, Tensor slots) {
    Tensor each = x.reshape(x.size(0), x.size(1), 1);
    return Reductions.sum(Elementwise.multiply(slots, each), 1);
  }

  /** Records {@code y[t] = residual[t] + Σᵢ weights[t, i] x[places[t, i]]}. */
  static void combine(Node node, Tensor x, Experts.Routing routing, Tensor y) {
    Tensor kept = node.needs(1) ? node.save(x) : null;
    Tensor weights = node.save(routing.weights());
    Tensor places = node.save(routing.places());
    long[] shape = x.shape();
    node.record(
        () -> {
          Tensor dy = node.gradient();
          node.give(2, dy);
          long tokens = places.size(0);
          long k = places.size(1);
          Tensor each = dy.reshape(tokens, 1, shape[1]);
          Tensor place = Plain.wide(places);
          if (node.needs(0)) {
            Tensor weighed = Elementwise.multiply(each, weights.reshape(tokens, k, 1));
            Ids at = Plain.ids(place, shape[0]);
            node.give(0, Indexing.scatterRows(weighed.reshape(tokens * k, shape[1]), at, shape));
          }
          if (node.needs(1)) {
            if (shape[0] == 0) {
              node.give(1, Tensor.zeros(dy.device(), tokens, k));
              return;
            }
            Tensor zero = Plain.number(dy.device(), 0);
            Tensor there = Plain.not(Elementwise.less(place, zero)).reshape(tokens, k, 1);
            Ids at = Plain.ids(Elementwise.maximum(place, zero), shape[0]);
            Tensor rows = Indexing.indexSelect(Plain.wide(kept), 0, at);
            Tensor given = Elementwise.keepWhere(rows.reshape(tokens, k, shape[1]), there);
            node.give(1, Reductions.sum(Elementwise.multiply(given, each), 2));
          }
        },
        y);
  }

  /**
   * Records the products of experts, each of its own places; a weight that no place is for has no
   * gradient. The inputs are x, the bias, and the weights from 2 on.
   */
  static void linear(
      Node node,
      Tensor x,
      Tensor rows,
      Experts.Routing routing,
      List<Tensor> weights,
      Tensor bias,
      Tensor y) {
    Tensor kept = node.save(x);
    Tensor from = node.save(rows);
    Tensor offsets = node.save(routing.offsets());
    List<Tensor> all = weights.stream().map(node::save).toList();
    long[] shapeOfBias = bias == null ? null : bias.shape();
    node.record(
        () -> {
          Tensor dy = node.gradient();
          long[] shape = kept.shape();
          int[] begin = offsets.toIntArray();
          Ids row = from == null ? null : rows(from, shape[0]);
          Tensor in = Plain.wide(kept);
          in = row == null ? in : Indexing.indexSelect(in, 0, row);
          Tensor dx = node.needs(0) ? Tensor.zeros(dy.device(), in.shape()) : null;
          Tensor dBias = node.needs(1) ? Tensor.zeros(dy.device(), shapeOfBias) : null;
          for (int e = 0; e < all.size(); e++) {
            if (begin[e] == begin[e + 1]) {
              continue;
            }
            Tensor mine = dy.slice(0, begin[e], begin[e + 1]);
            if (dx != null) {
              Tensor turned = MatmulGradients.turned(Plain.wide(all.get(e)));
              Layouts.copy(
                  MatmulGradients.product(mine, turned), dx.slice(0, begin[e], begin[e + 1]));
            }
            if (node.needs(2 + e)) {
              Tensor read = in.slice(0, begin[e], begin[e + 1]);
              node.give(
                  2 + e,
                  MatmulGradients.product(
                      MatmulGradients.turned(mine), MatmulGradients.turned(read)));
            }
            if (dBias != null) {
              Tensor sum = Reductions.sum(mine, 0).reshape(1, mine.size(1));
              Layouts.copy(sum, dBias.slice(0, e, e + 1L));
            }
          }
          if (dBias != null) {
            node.give(1, dBias);
          }
          if (dx != null) {
            node.give(0, row == null ? dx : toTokens(dx, row, shape));
          }
        },
        y);
  }

  /** The token of each place, 0 behind the last. */
  private static Ids rows(Tensor rows, long tokens) {
    Tensor none = Plain.number(rows.device(), 0);
    return Plain.ids(Elementwise.maximum(Plain.wide(rows), none), tokens);
  }

  private static Tensor toTokens(Tensor dx, Ids row, long... shape) {
    return Indexing.indexAdd(Tensor.zeros(dx.device(), shape), row, dx);
  }
}
