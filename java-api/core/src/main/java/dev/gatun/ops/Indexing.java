package dev.gatun.ops;

import dev.gatun.autograd.Node;
import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.indexing.IndexAdd;
import dev.gatun.kernels.api.call.indexing.IndexSelect;
import dev.gatun.kernels.api.call.indexing.PackedEmbedding;
import dev.gatun.kernels.api.call.indexing.ScatterRows;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.Arrays;

/** Entries of an axis, and rows, by index. */
public final class Indexing {
  private Indexing() {}

  /**
   * The entries of an axis that the ids name, in their order.
   *
   * @param x of any dtype, without gaps
   * @param axis of x; negative ones count from the last
   * @param ids I64 [count], each from 0 to the axis's length - 1
   * @return of x's dtype and shape, but with count entries on the axis
   */
  public static Tensor indexSelect(Tensor x, int axis, Ids ids) {
    int a = Layouts.axis("index_select", x, axis);
    long[] shape = x.shape();
    long outer = Arrays.stream(shape, 0, a).reduce(1, (i, j) -> i * j);
    long inner = Arrays.stream(shape, a + 1, shape.length).reduce(1, (i, j) -> i * j);
    Tensor source = x.reshape(outer, shape[a], inner);
    shape[a] = ids.count();
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("index_select", x);
    Tensor taken =
        Calls.run(
            Tensor.empty(x.device(), x.dtype(), shape),
            (k, y) ->
                k.run(
                    new IndexSelect(
                        source.operand(),
                        ids.indices(),
                        y.reshape(outer, ids.count(), inner).operand())),
            x,
            ids.values());
    if (node != null) {
      IndexingGradients.select(node, x, a, ids, taken);
    }
    return taken;
  }

  /**
   * Adds rows to those of y that the ids name, in place and in the order of the ids, which may
   * repeat; gives y.
   *
   * @param y F32 or of x's dtype [rows, columns]
   * @param ids I64 [count], each from 0 to rows - 1
   * @param x F32, BF16 or F16 [count, columns]
   * @return y
   * @throws UnsupportedOperationException when a tape tracks y or x
   */
  public static Tensor indexAdd(Tensor y, Ids ids, Tensor x) {
    Tape.refuseInPlace("index_add", y, x);
    y.device().kernels().run(new IndexAdd(x.operand(), ids.indices(), y.operand()));
    Calls.fence(y, ids.values(), x);
    return y;
  }

  /**
   * The rows of a table that the ids name.
   *
   * @param table F32, BF16 or F16 [rows, columns], without gaps
   * @param ids I64 [count], each from 0 to rows - 1
   * @return of the table's dtype [count, columns]
   */
  public static Tensor embedding(Tensor table, Ids ids) {
    return embedding(table, ids, table.dtype());
  }

  /**
   * The same as other numbers than the table's.
   *
   * @param table F32, BF16 or F16 [rows, columns], without gaps
   * @param ids I64 [count], each from 0 to rows - 1
   * @param dtype F32, or the table's
   * @return of dtype [count, columns]
   */
  public static Tensor embedding(Tensor table, Ids ids, DType dtype) {
    return embedding(table, ids, dtype, Ids.NONE);
  }

  /**
   * The same where what is looked up in one row has no gradient.
   *
   * @param table F32, BF16 or F16 [rows, columns], without gaps
   * @param ids I64 [count], each from 0 to rows - 1
   * @param dtype F32, or the table's
   * @param paddingRow the row; -1 for none
   * @return of dtype [count, columns]
   */
  public static Tensor embedding(Tensor table, Ids ids, DType dtype, long paddingRow) {
    Calls.axes("embedding", "table", table, 2);
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("embedding", table);
    Tensor rows =
        Calls.run(
            Tensor.empty(table.device(), dtype, ids.count(), table.size(1)),
            (k, y) -> k.run(new Embedding(table.operand(), ids.indices(), false, y.operand())),
            table,
            ids.values());
    if (node != null) {
      IndexingGradients.embedding(node, table, ids, paddingRow, rows);
    }
    return rows;
  }

  /**
   * Adds the rows of a table that the ids name to y, in place.
   *
   * @param y F32 or of the table's dtype [count, columns], without gaps
   * @param table F32, BF16 or F16 [rows, columns], without gaps
   * @param ids I64 [count], each from 0 to rows - 1
   * @return y
   * @throws UnsupportedOperationException when a tape tracks y or the table
   */
  public static Tensor addEmbedding(Tensor y, Tensor table, Ids ids) {
    Tape.refuseInPlace("embedding", y, table);
    table.device().kernels().run(new Embedding(table.operand(), ids.indices(), true, y.operand()));
    Calls.fence(table, ids.values(), y);
    return y;
  }

  /**
   * The rows of a table [rows, columns] that is a linear layer's weight too, {@link Packing} having
   * laid it out: [count, columns].
   *
   * @param packed F32, BF16 or F16, the packed table
   * @param rows of the table
   * @param columns of the table
   * @param ids I64 [count], each from 0 to rows - 1
   * @param dtype F32, or the table's
   * @return of dtype [count, columns]
   * @throws UnsupportedOperationException when a tape tracks the table
   */
  public static Tensor packedEmbedding(
      Tensor packed, long rows, long columns, Ids ids, DType dtype) {
    Tape.refuse("packed_embedding", packed);
    return Calls.run(
        Tensor.empty(packed.device(), dtype, ids.count(), columns),
        (k, y) ->
            k.run(new PackedEmbedding(packed.operand(), rows, ids.indices(), false, y.operand())),
        packed,
        ids.values());
  }

  /**
   * Adds the rows of such a table that the ids name to y, in place.
   *
   * @param y F32 or of the table's dtype [count, columns], without gaps
   * @param packed F32, BF16 or F16, the packed table [rows, columns]
   * @param rows of the table
   * @param ids I64 [count], each from 0 to rows - 1
   * @return y
   * @throws UnsupportedOperationException when a tape tracks y or the table
   */
  public static Tensor addPackedEmbedding(Tensor y, Tensor packed, long rows, Ids ids) {
    Tape.refuseInPlace("packed_embedding", y, packed);
    y.device()
        .kernels()
        .run(new PackedEmbedding(packed.operand(), rows, ids.indices(), true, y.operand()));
    Calls.fence(packed, ids.values(), y);
    return y;
  }

  /**
   * {@link #embedding(Tensor, Ids, DType)} in simple ops.
   *
   * @param table F32, BF16 or F16 [rows, columns], without gaps
   * @param ids I64 [count], each from 0 to rows - 1
   * @param dtype F32, or the table's
   * @return of dtype [count, columns]
   */
  public static Tensor plainEmbedding(Tensor table, Ids ids, DType dtype) {
    try (Scope scope = Scope.open()) {
      return scope.keep(Elementwise.cast(indexSelect(table, 0, ids), dtype));
    }
  }

  /**
   * {@link #addEmbedding} in simple ops.
   *
   * @param y F32 or of the table's dtype [count, columns], written in place
   * @param table F32, BF16 or F16 [rows, columns], without gaps
   * @param ids I64 [count], each from 0 to rows - 1
   * @return y
   */
  public static Tensor plainAddEmbedding(Tensor y, Tensor table, Ids ids) {
    try (Scope _ = Scope.open()) {
      Tensor rows = Plain.wide(indexSelect(table, 0, ids));
      Layouts.copy(Elementwise.cast(Elementwise.add(Plain.wide(y), rows), y.dtype()), y);
      return y;
    }
  }

  /**
   * Zeros of a shape, with rows at the places that ids names.
   *
   * @param x of any dtype [count, columns], without gaps
   * @param ids I64 [count], distinct, each from 0 to rows - 1, rows being all axes of the shape but
   *     the last; or {@link Ids#NONE} for a row that goes nowhere
   * @param shape [..., columns]
   * @return of x's dtype and the shape
   */
  public static Tensor scatterRows(Tensor x, Ids ids, long... shape) {
    Calls.axes("scatter_rows", "x", x, 2);
    Tape tape = Tape.recording();
    Node node = tape == null ? null : tape.node("scatter_rows", x);
    Tensor placed =
        Calls.run(
            Tensor.zeros(x.device(), x.dtype(), shape),
            (k, y) -> {
              Tensor rows = y.reshape(x.size(1) == 0 ? 0 : y.count() / x.size(1), x.size(1));
              k.run(new ScatterRows(x.operand(), ids.indices(), rows.operand()));
            },
            x,
            ids.values());
    if (node != null) {
      IndexingGradients.scatter(node, x, ids, placed);
    }
    return placed;
  }

  /**
   * Writes rows over those of y that ids names; others stay.
   *
   * @param y of x's dtype [rows, columns], without gaps, written in place
   * @param x of any dtype [count, columns], without gaps
   * @param ids I64 [count], distinct, each from 0 to rows - 1; or {@link Ids#NONE} for a row that
   *     goes nowhere
   * @return y
   * @throws UnsupportedOperationException when a tape tracks y or x
   */
  public static Tensor scatterRowsInto(Tensor y, Tensor x, Ids ids) {
    Tape.refuseInPlace("scatter_rows", y, x);
    y.device().kernels().run(new ScatterRows(x.operand(), ids.indices(), y.operand()));
    Calls.fence(x, ids.values(), y);
    return y;
  }
}
