package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.indexing.Copy;
import dev.gatun.kernels.api.call.indexing.IndexAdd;
import dev.gatun.kernels.api.call.indexing.IndexSelect;
import dev.gatun.kernels.api.device.Execution;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.MemorySegment;

/** Kernels that move elements as they are, and sums by index. */
final class IndexingReference {
  private final Precision p;

  IndexingReference(Precision precision) {
    this.p = precision;
  }

  private static void inRange(KernelCall call, Operand ids, long limit) {
    Execution.inRange(call, "id", View.ids(ids), ids.size(0), limit, null);
  }

  private static void move(Operand x, long from, Operand y, long to) {
    int bytes = x.dtype().bytes();
    MemorySegment.copy(
        View.segment(x.buffer()),
        (x.offset() + from) * bytes,
        View.segment(y.buffer()),
        (y.offset() + to) * bytes,
        bytes);
  }

  void run(Copy c) {
    for (long i = 0; i < c.y().count(); i++) {
      move(c.x(), View.place(c.x(), i), c.y(), View.place(c.y(), i));
    }
  }

  void run(IndexSelect c) {
    inRange(c, c.ids(), c.x().size(1));
    View ids = View.of(c.ids());
    long count = c.ids().size(0);
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

  void run(IndexAdd c) {
    inRange(c, c.ids(), c.y().size(0));
    View x = View.of(c.x());
    View ids = View.of(c.ids());
    View y = View.of(c.y());
    long columns = c.x().size(1);
    for (long r = 0; r < c.ids().size(0); r++) {
      for (long i = 0; i < columns; i++) {
        long place = ids.getLong(r) * columns + i;
        y.set(place, p.round(y.get(place) + x.get(r * columns + i)));
      }
    }
  }
}
