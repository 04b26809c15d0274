package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Tensor;
import java.util.Arrays;

/** The gradients of {@link Indexing}: rows are added where they were taken, in their order. */
final class IndexingGradients {
  private IndexingGradients() {}

  /** Records rows of a table, one of which may have no gradient. */
  static void embedding(Node node, Tensor table, Ids ids, long paddingRow, Tensor y) {
    Ids kept = node.save(ids);
    long[] shape = table.shape();
    node.record(
        () -> {
          Tensor dy = node.gradient();
          if (paddingRow != Ids.NONE) {
            Tensor row = Plain.wide(kept.values()).reshape(kept.count(), 1);
            Tensor padding = Elementwise.equal(row, Plain.number(dy.device(), paddingRow));
            dy = Elementwise.keepWhere(dy, Plain.not(padding));
          }
          Tensor sum = node.sum(0);
          if (sum != null && sum.operand().isContiguous()) {
            Indexing.indexAdd(sum, kept, dy);
          } else {
            node.give(0, Indexing.indexAdd(Tensor.zeros(dy.device(), shape), kept, dy));
          }
        },
        y);
  }

  /** Records entries of an axis. */
  static void select(Node node, Tensor x, int axis, Ids ids, Tensor y) {
    Ids kept = node.save(ids);
    long[] shape = x.shape();
    node.record(
        () -> {
          Tensor dy = node.gradient();
          long outer = Arrays.stream(shape, 0, axis).reduce(1, (i, j) -> i * j);
          long inner = Arrays.stream(shape, axis + 1, shape.length).reduce(1, (i, j) -> i * j);
          Tensor rows = dy.reshape(outer, kept.count(), inner);
          rows = outer == 1 ? rows : Layouts.permute(rows, 1, 0, 2);
          Tensor sum = Tensor.zeros(dy.device(), shape[axis], outer * inner);
          Indexing.indexAdd(sum, kept, rows.reshape(kept.count(), outer * inner));
          Tensor back = sum.reshape(shape[axis], outer, inner);
          back = outer == 1 ? back : Layouts.permute(back, 1, 0, 2);
          node.give(0, back.reshape(shape));
        },
        y);
  }

  /** Records rows that were put to places, or nowhere. */
  static void scatter(Node node, Tensor x, Ids ids, Tensor y) {
    Ids kept = node.save(ids);
    long[] shape = x.shape();
    node.record(
        () -> {
          Tensor dy = node.gradient();
          if (shape[0] * shape[1] == 0) {
            node.give(0, Tensor.zeros(dy.device(), shape));
            return;
          }
          long rows = dy.count() / shape[1];
          Tensor at = Plain.wide(kept.values());
          Tensor zero = Plain.number(dy.device(), 0);
          Ids there = Plain.ids(Elementwise.maximum(at, zero), rows);
          Tensor taken = Indexing.indexSelect(dy.reshape(rows, shape[1]), 0, there);
          Tensor put = Plain.not(Elementwise.less(at, zero)).reshape(shape[0], 1);
          node.give(0, Elementwise.keepWhere(taken, put));
        },
        y);
  }
}
