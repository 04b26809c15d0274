package dev.gatun.nn;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.ops.Indexing;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Tensor;

/**
 * A table with a learned row a token, position or segment.
 *
 * @param table [rows, features], as narrow as the file has it
 * @param dtype of what is looked up: F32, or the table's
 */
public record Embedding(Tensor table, DType dtype) implements AutoCloseable {
  /** The rows that the ids [count] name, [count, features]. */
  public Tensor forward(Ids ids) {
    return Indexing.embedding(table, ids, dtype);
  }

  /** Adds the rows that the ids [count] name to x [count, features] in place; gives x. */
  public Tensor addTo(Tensor x, Ids ids) {
    return Indexing.addEmbedding(x, table, ids);
  }

  /** Rows of the table. */
  public long rows() {
    return table.size(0);
  }

  /** Features of a row. */
  public long features() {
    return table.size(1);
  }

  @Override
  public void close() {
    table.close();
  }
}
