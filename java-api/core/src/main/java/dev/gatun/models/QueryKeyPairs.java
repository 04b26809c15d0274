package dev.gatun.models;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.ops.Indexing;
import dev.gatun.ops.Layouts;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Scope;
import dev.gatun.tensor.Tensor;
import java.util.function.LongUnaryOperator;

/**
 * What scores get by the distance between query and key: numbers of a table. One square of them
 * serves all sequences whose tokens follow each other; where the mask has gaps each has its own.
 */
final class QueryKeyPairs {
  private static final String KEY = "query-key pairs";

  private QueryKeyPairs() {}

  /** Has a batch derive the rows of a table that {@link #lookUp} will take. */
  static void prepare(TokenBatch batch, long rows, LongUnaryOperator row) {
    pairs(batch, rows, row);
  }

  /**
   * The numbers of each pair [sequences or 1, columns, queries, keys], the most of a sequence each.
   *
   * @param table [rows, columns], a column a head
   * @param row of the table that a pair gets, by the key's position less the query's
   */
  static Tensor lookUp(TokenBatch batch, Tensor table, LongUnaryOperator row) {
    Ids pairs = pairs(batch, table.size(0), row);
    long queries = batch.segments().longest();
    long keys = keys(batch);
    long columns = table.size(1);
    try (Scope scope = Scope.open()) {
      Tensor found = Indexing.embedding(table, pairs, DType.F32);
      return scope.keep(
          Layouts.contiguous(
              found.strided(
                  0,
                  new long[] {squares(batch), columns, queries, keys},
                  new long[] {queries * keys * columns, 1, keys * columns, columns})));
    }
  }

  /** The most keys that a query sees: with a cache, those before its chunk too. */
  private static int keys(TokenBatch batch) {
    return batch.cache() == null ? batch.segments().longest() : batch.cache().longest();
  }

  private static int squares(TokenBatch batch) {
    return batch.cache() == null && batch.isWithoutGaps() ? 1 : batch.sequences();
  }

  private static Ids pairs(TokenBatch batch, long rows, LongUnaryOperator row) {
    int queries = batch.segments().longest();
    int keys = keys(batch);
    int squares = squares(batch);
    int count = Math.multiplyExact(squares, Math.multiplyExact(queries, keys));
    boolean cached = batch.cache() != null;
    return batch.derived(
        KEY,
        count,
        rows,
        layout ->
            cached
                ? cached(layout, queries, keys, count, row)
                : values(layout, batch.isWithoutGaps(), queries, count, row));
  }

  /** With a cache a key's position is its place in it. */
  private static long[] cached(
      BatchLayout layout, int queries, int keys, int count, LongUnaryOperator row) {
    long[] values = new long[count];
    int at = 0;
    for (int s = 0; s < layout.sequences(); s++) {
      for (int q = 0; q < layout.lengths()[s]; q++, at++) {
        long position = layout.positions()[at];
        for (int k = 0; k <= position; k++) {
          values[(s * queries + q) * keys + k] = row.applyAsLong(k - position);
        }
      }
    }
    return values;
  }

  private static long[] values(
      BatchLayout layout, boolean shared, int longest, int count, LongUnaryOperator row) {
    long[] values = new long[count];
    if (shared) {
      for (int i = 0; i < count; i++) {
        values[i] = row.applyAsLong(i % longest - i / longest);
      }
      return values;
    }
    int first = 0;
    for (int s = 0; s < layout.sequences(); s++) {
      int length = layout.lengths()[s];
      for (int q = 0; q < length; q++) {
        for (int k = 0; k < length; k++) {
          values[(s * longest + q) * longest + k] =
              row.applyAsLong(layout.positions()[first + k] - layout.positions()[first + q]);
        }
      }
      first += length;
    }
    return values;
  }
}
