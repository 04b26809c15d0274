package dev.gatun.models;

import dev.gatun.autograd.Tape;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.ops.Elementwise;
import dev.gatun.ops.Indexing;
import dev.gatun.ops.Layouts;
import dev.gatun.tensor.Ids;
import dev.gatun.tensor.Tensor;

/** Packed rows at their places in the padded batch, as Hugging Face's models give them. */
final class Padded {
  private Padded() {}

  /** Packed rows [tokens, columns] in [sequences, length, columns], 0 where none is. */
  static Tensor rows(Tensor packed, TokenBatch batch) {
    return Indexing.scatterRows(
        packed, batch.places(), batch.sequences(), batch.length(), packed.size(1));
  }

  /** Packed scores [tokens, 1] in [sequences, length], 0 where none is. */
  static Tensor column(Tensor packed, TokenBatch batch) {
    return Indexing.scatterRows(packed, batch.places(), batch.sequences(), batch.length());
  }

  /** A column of packed scores [tokens, columns] in [sequences, length], -infinity elsewhere. */
  static Tensor columnOverLowest(Tensor packed, int column, TokenBatch batch) {
    Tensor one =
        Layouts.contiguous(
            packed.strided(column, new long[] {packed.size(0), 1}, new long[] {packed.size(1), 1}));
    if (Tape.recording() != null) {
      return Elementwise.add(column(one, batch), batch.lowestOutside());
    }
    Tensor padded = Layouts.contiguous(batch.lowest());
    Indexing.scatterRowsInto(padded.reshape(padded.count(), 1), one, batch.places());
    return padded;
  }

  /** Attention weights [sequences, heads, longest, longest] in [.., length, length]. */
  static Tensor attention(Tensor weights, TokenBatch batch) {
    return attention(weights, batch, batch);
  }

  /** The same of queries and keys of two batches, in [.., query length, key length]. */
  static Tensor attention(Tensor weights, TokenBatch queries, TokenBatch keys) {
    int heads = (int) weights.size(1);
    if (queries.layout().isDense() && keys.layout().isDense()) {
      long rows = weights.size(2);
      long columns = weights.size(3);
      if (rows == queries.length() && columns == keys.length()) {
        return weights;
      }
      Tensor padded =
          Tensor.zeros(
              weights.device(),
              DType.F32,
              queries.sequences(),
              heads,
              queries.length(),
              keys.length());
      Layouts.copy(weights, padded.slice(2, 0, rows).slice(3, 0, columns));
      return padded;
    }
    Tensor byQuery = spread(weights, heads, queries);
    return Layouts.transpose(spread(Layouts.transpose(byQuery, 2, 3), heads, keys), 2, 3);
  }

  /** The entries of the third axis at their places in the padded batch. */
  private static Tensor spread(Tensor x, int heads, TokenBatch batch) {
    int longest = (int) x.size(2);
    int length = batch.length();
    Ids rows =
        batch.derived(
            "rows of %d heads".formatted(heads),
            batch.sequences() * heads * longest,
            (long) batch.sequences() * heads * length,
            layout -> headRows(layout, heads, longest));
    Tensor flat = x.reshape(x.size(0) * x.size(1) * x.size(2), x.size(3));
    return Indexing.scatterRows(flat, rows, batch.sequences(), heads, length, x.size(3));
  }

  private static long[] headRows(BatchLayout layout, int heads, int longest) {
    long[] rows = new long[layout.sequences() * heads * longest];
    java.util.Arrays.fill(rows, Ids.NONE);
    int first = 0;
    for (int s = 0; s < layout.sequences(); s++) {
      for (int h = 0; h < heads; h++) {
        for (int i = 0; i < layout.lengths()[s]; i++) {
          rows[(s * heads + h) * longest + i] =
              ((long) s * heads + h) * layout.length() + layout.positions()[first + i];
        }
      }
      first += layout.lengths()[s];
    }
    return rows;
  }
}
