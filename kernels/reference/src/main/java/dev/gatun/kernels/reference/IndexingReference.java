package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.indexing.Copy;
import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.indexing.IndexAdd;
import dev.gatun.kernels.api.call.indexing.IndexSelect;
import dev.gatun.kernels.api.call.indexing.IndexingCall;
import dev.gatun.kernels.api.call.indexing.PackedEmbedding;
import dev.gatun.kernels.api.call.indexing.ScatterRows;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.memory.Operand;

/** Rows by their numbers, elements as they are, and sums by index. */
final class IndexingReference {
  private final Precision p;

  IndexingReference(Precision precision) {
    this.p = precision;
  }

  private static void move(Operand x, long from, Operand y, long to) {
    int bytes = x.dtype().bytes();
    ReferenceBuffer.copy(
        x.buffer(), (x.offset() + from) * bytes, y.buffer(), (y.offset() + to) * bytes, bytes);
  }

  void run(IndexingCall call) {
    switch (call) {
      case Copy c -> copy(c);
      case Embedding c -> embedding(c);
      case IndexAdd c -> indexAdd(c);
      case IndexSelect c -> indexSelect(c);
      case PackedEmbedding c -> packedEmbedding(c);
      case ScatterRows c -> scatterRows(c);
    }
  }

  private void copy(Copy c) {
    for (long i = 0; i < c.y().count(); i++) {
      move(c.x(), View.place(c.x(), i), c.y(), View.place(c.y(), i));
    }
  }

  private void indexSelect(IndexSelect c) {
    View.inRange(c, "id", c.ids(), c.x().size(1), null);
    View ids = View.of(c.ids().values());
    long count = c.ids().values().size(0);
    long inner = c.x().size(2);
    for (long o = 0; o < c.x().size(0); o++) {
      for (long i = 0; i < count; i++) {
        for (long k = 0; k < inner; k++) {
          long from = (o * c.x().size(1) + ids.getLong(i)) * inner + k;
          move(c.x(), from, c.y(), (o * count + i) * inner + k);
        }
      }
    }
  }

  private void indexAdd(IndexAdd c) {
    View.inRange(c, "id", c.ids(), c.y().size(0), null);
    View x = View.of(c.x());
    View ids = View.of(c.ids().values());
    View y = View.of(c.y());
    long columns = c.x().size(1);
    for (long r = 0; r < c.ids().values().size(0); r++) {
      for (long i = 0; i < columns; i++) {
        long place = ids.getLong(r) * columns + i;
        y.set(place, p.round(y.get(place) + x.get(r * columns + i)));
      }
    }
  }

  private void embedding(Embedding c) {
    View.inRange(c, "id", c.ids(), c.table().size(0), null);
    View table = View.of(c.table());
    View ids = View.of(c.ids().values());
    View y = View.of(c.y());
    long columns = c.table().size(1);
    for (long r = 0; r < c.ids().values().size(0); r++) {
      for (long i = 0; i < columns; i++) {
        double value = table.get(ids.getLong(r) * columns + i);
        long place = r * columns + i;
        y.set(place, c.accumulate() ? p.round(y.get(place) + value) : value);
      }
    }
  }

  private void packedEmbedding(PackedEmbedding c) {
    View.inRange(c, "id", c.ids(), c.rows(), null);
    View packed = View.of(c.packed());
    View ids = View.of(c.ids().values());
    View y = View.of(c.y());
    long columns = c.y().size(1);
    for (long r = 0; r < c.ids().values().size(0); r++) {
      for (long i = 0; i < columns; i++) {
        double value = packed.get(MatmulPack.place(c.packed().dtype(), ids.getLong(r), i, columns));
        long place = r * columns + i;
        y.set(place, c.accumulate() ? p.round(y.get(place) + value) : value);
      }
    }
  }

  private void scatterRows(ScatterRows c) {
    View.inRange(c, "id", c.ids(), c.y().size(0), -1L);
    View ids = View.of(c.ids().values());
    long bytes = c.x().size(1) * c.x().dtype().bytes();
    for (long r = 0; r < c.ids().values().size(0); r++) {
      if (ids.getLong(r) < 0) {
        continue;
      }
      ReferenceBuffer.copy(
          c.x().buffer(),
          c.x().byteOffset() + r * bytes,
          c.y().buffer(),
          c.y().byteOffset() + ids.getLong(r) * bytes,
          bytes);
    }
  }
}
