package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.kernels.api.call.attention.Dropout;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;
import java.util.List;
import java.util.stream.Stream;

/** The gradients of {@link Attention} as a tape's node keeps what they need. */
final class AttentionGradients {
  private final Node node;
  private final Tensor query;
  private final Segments queries;
  private final Attention.Keys keys;
  private final Attention.Scores scores;
  private final Attention.Mask mask;
  private final Dropout dropout;
  private final Tensor output;
  private final Tensor lse;

  private AttentionGradients(
      Node node,
      Tensor query,
      Segments queries,
      Attention.Keys keys,
      Attention.Scores scores,
      Attention.Mask mask,
      Dropout dropout,
      Attention.Result result) {
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
    this.output = node.save(result.output());
    this.lse = node.save(result.lse());
  }

  /**
   * Records attention: the inputs are query, key, value, bias and sinks.
   *
   * @param result with the log-sum-exp
   * @param withLse whether that was asked for, and may have a gradient
   */
  static void record(
      Node node,
      Tensor query,
      Segments queries,
      Attention.Keys keys,
      Attention.Scores scores,
      Attention.Mask mask,
      Dropout dropout,
      Attention.Result result,
      boolean withLse) {
    AttentionGradients gradients =
        new AttentionGradients(node, query, queries, keys, scores, mask, dropout, result);
    node.record(gradients::run, result.output(), withLse ? result.lse() : null, result.weights());
  }

  private void run() {
    Tensor given = node.narrowGradient(0);
    DType dtype = isNarrow(given) ? DType.BF16 : DType.F32;
    Attention.Result of =
        new Attention.Result(
            given == null
                ? Tensor.zeros(output.device(), DType.F32, output.shape())
                : as(dtype, given),
            Plain.wideOrNull(node.gradient(1)),
            Plain.wideOrNull(node.gradient(2)));
    // The three are often parts of what one layer gave.
    List<Tensor> places = node.places(dtype, 0, 1, 2);
    List<Tensor> zeros = places == null ? zeros(dtype) : places;
    Attention.Gradients all = Attention.room(zeros, scores, node.needs(3), node.needs(4));
    Attention.backward(
        as(dtype, query),
        queries,
        new Attention.Keys(
            as(dtype, keys.key()),
            as(dtype, keys.value()),
            keys.segments(),
            keys.lengths(),
            keys.longest(),
            null,
            keys.pagesBelow(),
            null),
        scores,
        mask,
        dropout,
        new Attention.Result(as(dtype, output), lse, null),
        of,
        all);
    if (places == null) {
      node.give(0, all.query());
      node.give(1, all.key());
      node.give(2, all.value());
    }
    if (all.bias() != null) {
      node.give(3, all.bias());
    }
    if (all.sinks() != null) {
      node.give(4, all.sinks());
    }
  }

  /** Of the shapes of query, key and value. */
  private List<Tensor> zeros(DType dtype) {
    return Stream.of(query, keys.key(), keys.value())
        .map(x -> Tensor.zeros(x.device(), dtype, x.shape()))
        .toList();
  }

  /** Whether all is BF16: so are the gradients then. */
  private boolean isNarrow(Tensor given) {
    return given != null
        && Stream.of(given, query, keys.key(), keys.value(), output)
            .allMatch(x -> x.dtype() == DType.BF16);
  }

  /** In a dtype, as it lies where it is that already; else F32. */
  private static Tensor as(DType dtype, Tensor x) {
    return x.dtype() == dtype ? x : Plain.wide(x);
  }
}
