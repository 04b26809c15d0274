package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.kernels.api.call.reduction.PoolingMode;
import dev.gatun.kernels.api.call.reduction.Reduction;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Segments;
import dev.gatun.tensor.Tensor;
import java.util.stream.LongStream;

/** The gradients of {@link Reductions}. */
final class ReductionGradients {
  private ReductionGradients() {}

  /** Records sums up to each place: what is given is the gradients' sum from each place on. */
  static void cumsum(Node node, int axis, Tensor y) {
    node.record(
        () -> {
          // Not what is left of the whole sum: it would round to that, and a NaN would be in all.
          Tensor dy = turned(Plain.wide(node.gradient()), axis);
          node.give(0, turned(Reductions.cumsum(dy, axis), axis));
        },
        y);
  }

  /** The elements of an axis from the last to the first. */
  private static Tensor turned(Tensor x, int axis) {
    long length = x.size(axis);
    if (x.count() == 0) {
      return x;
    }
    long[] places = LongStream.range(0, length).map(i -> length - 1 - i).toArray();
    return Indexing.indexSelect(x, axis, Ids.of(x.device(), "place", length, places));
  }

  /** Records a reduction; the largest elements share its gradient, and so do the smallest. */
  static void reduce(Node node, Tensor x, Reduction reduction, boolean[] reduced, Tensor y) {
    boolean extreme = reduction == Reduction.MAX || reduction == Reduction.MIN;
    Tensor keptX = extreme ? node.save(x) : null;
    Tensor keptY = extreme ? node.save(y) : null;
    long[] shape = x.shape();
    long[] narrow = shape.clone();
    long count = 1;
    for (int axis = 0; axis < shape.length; axis++) {
      if (reduced[axis]) {
        count *= shape[axis];
        narrow[axis] = 1;
      }
    }
    double each = 1.0 / count;
    node.record(
        () -> {
          Tensor dy = node.gradient().reshape(narrow);
          switch (reduction) {
            case SUM -> node.give(0, repeated(dy, shape));
            case MEAN -> node.give(0, repeated(Plain.times(dy, each), shape));
            case MAX, MIN -> {
              Tensor all = Plain.wide(keptX).reshape(shape);
              Tensor one = Plain.wide(keptY).reshape(narrow);
              node.give(0, among(Elementwise.equal(all, one), dy, narrow));
            }
          }
        },
        y);
  }

  /** A gradient that those with a 1 share. */
  private static Tensor among(Tensor ones, Tensor dy, long... narrow) {
    Tensor share = Elementwise.divide(dy, ElementwiseGradients.summed(ones, narrow));
    Tensor all = Elementwise.add(Tensor.zeros(dy.device(), ones.shape()), share);
    return Elementwise.keepWhere(all, ones);
  }

  /** x repeated along its axes of length 1, a view. */
  private static Tensor repeated(Tensor x, long... shape) {
    long[] strides = x.operand().strides().clone();
    for (int axis = 0; axis < shape.length; axis++) {
      strides[axis] = x.size(axis) == shape[axis] ? strides[axis] : 0;
    }
    return x.strided(0, shape, strides);
  }

  /** Records the largest elements of rows, which their gradients go back to. */
  static void topk(Node node, Tensor x, Tensor indices, Tensor values) {
    Tensor kept = node.save(indices);
    long[] shape = x.shape();
    node.record(
        () -> {
          Tensor dy = Calls.rows("topk", node.gradient());
          long rows = dy.size(0);
          long k = dy.size(1);
          long columns = shape[shape.length - 1];
          Tensor sum = Tensor.zeros(dy.device(), rows * columns, 1);
          if (rows * k > 0) {
            long[] begins = LongStream.range(0, rows).map(row -> row * columns).toArray();
            Tensor begin = Tensor.of(dy.device(), begins, rows, 1);
            Tensor at = Elementwise.add(begin, kept.reshape(rows, k));
            Ids ids = Ids.known(at.reshape(rows * k), rows * columns);
            Indexing.indexAdd(sum, ids, dy.reshape(rows * k, 1));
          }
          node.give(0, sum.reshape(shape));
        },
        values);
  }

  /** Records the vectors of sequences. */
  static void pool(Node node, Tensor x, Segments segments, PoolingMode mode, Tensor y) {
    Segments kept = node.save(segments);
    Tensor keptX = mode == PoolingMode.MAX ? node.save(x) : null;
    Tensor keptY = mode == PoolingMode.MAX ? node.save(y) : null;
    long[] shape = x.shape();
    node.record(
        () -> {
          Tensor dy = node.gradient();
          if (shape[0] == 0 || kept.sequences() == 0) {
            node.give(0, Tensor.zeros(dy.device(), shape));
            return;
          }
          Tensor taken = Reductions.taken(shape[0], kept, mode);
          switch (mode) {
            case FIRST, LAST -> node.give(0, spread(taken, dy));
            case MEAN -> {
              Tensor length =
                  Elementwise.maximum(Plain.lengths(kept), Plain.number(dy.device(), 1));
              node.give(0, spread(taken, Elementwise.divide(dy, length)));
            }
            case MAX -> {
              // Not by a product, in which an infinity of one sequence is a NaN of all others.
              Tensor of = Reductions.argmax(Layouts.transpose(taken, 0, 1));
              Ids sequence = Ids.known(of, kept.sequences());
              Tensor largest = Indexing.indexSelect(Plain.wide(keptY), 0, sequence);
              Tensor inside = Plain.not(Plain.not(Reductions.sum(taken, 0))).reshape(shape[0], 1);
              Tensor ones =
                  Elementwise.keepWhere(Elementwise.equal(Plain.wide(keptX), largest), inside);
              // A sequence without tokens has none that share.
              Tensor count =
                  Elementwise.maximum(
                      MatmulGradients.product(taken, MatmulGradients.turned(ones)),
                      Plain.number(dy.device(), 1));
              Tensor share = spread(taken, Elementwise.divide(dy, count));
              node.give(0, Elementwise.keepWhere(share, ones));
            }
          }
        },
        y);
  }

  /** Each token's row of [sequences, columns]: of the sequence that has a 1 for it. */
  private static Tensor spread(Tensor taken, Tensor rows) {
    return MatmulGradients.product(MatmulGradients.turned(taken), MatmulGradients.turned(rows));
  }
}
