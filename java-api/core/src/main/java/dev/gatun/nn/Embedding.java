package dev.gatun.nn;

import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Indexing;
import dev.gatun.ops.Layouts;
import dev.gatun.ops.Quantization;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;

/**
 * A table with a learned row a token, position or segment.
 *
 * <p>Its numbers are where it was given them, as floats or in blocks, or in the weight of an output
 * layer that is tied to it. It has none before one or the other.
 */
public final class Embedding implements AutoCloseable {
  private final long rows;
  private final long features;
  private final DType kept;
  private final DType dtype;
  private final long paddingRow;
  private Tensor table;
  private Tensor packed;
  private Tensor blocks;
  private BlockFormat format;

  /**
   * A table whose rows {@link #forward} looks up, without its numbers yet.
   *
   * @param rows of the table
   * @param features of a row
   * @param kept what the table's numbers are: F32, BF16 or F16
   * @param dtype of what is looked up: F32, or {@code kept}
   */
  public Embedding(long rows, long features, DType kept, DType dtype) {
    this(rows, features, kept, dtype, -1);
  }

  private Embedding(long rows, long features, DType kept, DType dtype, long paddingRow) {
    if (dtype != DType.F32 && dtype != kept) {
      throw new IllegalArgumentException(
          "embedding: gives %s of a table of %s, expected F32 or %s".formatted(dtype, kept, kept));
    }
    this.rows = rows;
    this.features = features;
    this.kept = kept;
    this.dtype = dtype;
    this.paddingRow = paddingRow;
  }

  /**
   * {@return a table that training changes}
   *
   * @param table F32 [rows, features], its owner's
   * @param paddingRow the row whose look-ups have no gradient, or -1 for none
   */
  public static Embedding trainable(Tensor table, long paddingRow) {
    Embedding made = new Embedding(table.size(0), table.size(1), DType.F32, DType.F32, paddingRow);
    made.place(table);
    return made;
  }

  /**
   * Gives it its numbers.
   *
   * @param table [rows, features] of the dtype that it keeps, owned from now on
   */
  public void place(Tensor table) {
    if (table.rank() != 2
        || table.size(0) != rows
        || table.size(1) != features
        || table.dtype() != kept) {
      throw new IllegalArgumentException(
          "embedding: table is %s, expected %s[%d, %d]".formatted(table, kept, rows, features));
    }
    this.table = table;
  }

  /**
   * Gives it its numbers in blocks, which a look-up makes floats of.
   *
   * @param blocks U8 [rows, row_bytes], owned from now on
   * @param format whose rows have the table's features
   */
  public void place(Tensor blocks, BlockFormat format) {
    if (blocks.rank() != 2
        || blocks.size(0) != rows
        || blocks.size(1) != format.rowBytes(features)
        || blocks.dtype() != DType.U8) {
      throw new IllegalArgumentException(
          "embedding: blocks are %s, expected U8[%d, %d] of %s"
              .formatted(blocks, rows, format.rowBytes(features), format));
    }
    this.blocks = blocks;
    this.format = format;
  }

  /**
   * Looks its rows up in the weight of a layer that is tied to it, from now on, where that has the
   * same numbers: both are one storage then. A weight that is rounded more than the table, or is in
   * blocks, has other ones.
   *
   * @param output with this table as its weight; must be closed after this
   * @return whether it does
   */
  public boolean share(Linear output) {
    if (!(output instanceof DenseLinear dense)) {
      return false;
    }
    DType weight = dense.weight().dtype();
    if (dense.weight().rank() == 2) {
      return false;
    }
    if (weight != kept && !(weight == DType.F32 && dtype == DType.F32)) {
      return false;
    }
    close();
    packed = dense.weight();
    return true;
  }

  /** {@return the row whose look-ups have no gradient; -1 for none} */
  public long paddingRow() {
    return paddingRow;
  }

  /**
   * {@return the rows that the ids name, [count, features], of the dtype that it looks up as}
   *
   * @param ids [count], rows of the table
   */
  public Tensor forward(Ids ids) {
    if (blocks != null) {
      return unpacked(ids);
    }
    return packed == null
        ? Indexing.embedding(table, ids, dtype, paddingRow)
        : Indexing.packedEmbedding(packed, rows, features, ids, dtype);
  }

  private Tensor unpacked(Ids ids) {
    try (Scope scope = Scope.open()) {
      Tensor some = Indexing.indexSelect(blocks, 0, ids);
      return scope.keep(Elementwise.cast(Quantization.dequantize(some, format, features), dtype));
    }
  }

  /**
   * Adds the rows that the ids name to x in place; where a tape records, in a new tensor.
   *
   * @param x [count, features]
   * @param ids [count], rows of the table
   * @return x; where a tape records, the sum as a new tensor
   */
  public Tensor addTo(Tensor x, Ids ids) {
    if (Tape.recording() != null) {
      return Elementwise.add(x, forward(ids));
    }
    if (blocks != null) {
      try (Scope _ = Scope.open()) {
        Layouts.copy(Elementwise.cast(Elementwise.add(x, forward(ids)), x.dtype()), x);
        return x;
      }
    }
    return packed == null
        ? Indexing.addEmbedding(x, table, ids)
        : Indexing.addPackedEmbedding(x, packed, rows, ids);
  }

  /**
   * {@return the table [rows, features] as floats, which stays this one's; null while it has none
   * of its own} Of blocks it is made at the first call and kept.
   */
  public Tensor table() {
    if (table == null && blocks != null) {
      table = Quantization.dequantize(blocks, format, features).detach();
    }
    return table;
  }

  /** {@return the rows of the table} */
  public long rows() {
    return rows;
  }

  /** {@return the features of a row} */
  public long features() {
    return features;
  }

  @Override
  public void close() {
    if (table != null) {
      table.close();
      table = null;
    }
    if (blocks != null) {
      blocks.close();
      blocks = null;
    }
  }
}
