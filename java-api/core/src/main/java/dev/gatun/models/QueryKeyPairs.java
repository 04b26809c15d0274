package dev.gatun.models;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.ops.Indexing;
import dev.gatun.ops.Layouts;
import dev.gatun.tensor.Ids;
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
   * The numbers of each pair [sequences or 1, columns, longest, longest].
   *
   * @param table [rows, columns], a column a head
   * @param row of the table that a pair gets, by the key's position less the query's
   */
  static Tensor lookUp(TokenBatch batch, Tensor table, LongUnaryOperator row) {
    Ids pairs = pairs(batch, table.size(0), row);
    long longest = batch.segments().longest();
    long columns = table.size(1);
    Tensor found = Indexing.embedding(table, pairs, DType.F32);
    return Layouts.contiguous(
        found.strided(
            0,
            new long[] {squares(batch), columns, longest, longest},
            new long[] {longest * longest * columns, 1, longest * columns, columns}));
  }

  private static int squares(TokenBatch batch) {
    return batch.isWithoutGaps() ? 1 : batch.sequences();
  }

  private static Ids pairs(TokenBatch batch, long rows, LongUnaryOperator row) {
    int longest = batch.segments().longest();
    int squares = squares(batch);
    int count = Math.multiplyExact(squares, Math.multiplyExact(longest, longest));
    return batch.derived(
        KEY, count, rows, layout -> values(layout, batch.isWithoutGaps(), longest, count, row));
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
