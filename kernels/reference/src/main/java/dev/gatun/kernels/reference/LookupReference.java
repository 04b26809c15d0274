package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.call.KernelCall;
import dev.gatun.kernels.api.call.indexing.Embedding;
import dev.gatun.kernels.api.call.indexing.ScatterRows;
import dev.gatun.kernels.api.call.reduction.Pool;
import dev.gatun.kernels.api.call.reduction.PoolingMode;
import dev.gatun.kernels.api.device.Execution;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.MemorySegment;

/** Kernels that find rows by index or by sequence. */
final class LookupReference {
  private final Precision p;

  LookupReference(Precision precision) {
    this.p = precision;
  }

  private static void inRange(KernelCall call, String what, Operand ids, long limit) {
    Execution.inRange(call, what, View.ids(ids), ids.size(0), limit, null);
  }

  void run(Embedding c) {
    inRange(c, "id", c.ids(), c.table().size(0));
    View table = View.of(c.table());
    View ids = View.of(c.ids());
    View y = View.of(c.y());
    long columns = c.table().size(1);
    for (long r = 0; r < c.ids().size(0); r++) {
      for (long i = 0; i < columns; i++) {
        double value = table.get(ids.getLong(r) * columns + i);
        long place = r * columns + i;
        y.set(place, c.accumulate() ? p.round(y.get(place) + value) : value);
      }
    }
  }

  void run(ScatterRows c) {
    inRange(c, "id", c.ids(), c.y().size(0));
    View ids = View.of(c.ids());
    long bytes = c.x().size(1) * c.x().dtype().bytes();
    for (long r = 0; r < c.ids().size(0); r++) {
      MemorySegment.copy(
          View.segment(c.x().buffer()),
          c.x().byteOffset() + r * bytes,
          View.segment(c.y().buffer()),
          c.y().byteOffset() + ids.getLong(r) * bytes,
          bytes);
    }
  }

  void run(Pool c) {
    View x = View.of(c.x());
    View y = View.of(c.y());
    long columns = c.x().size(1);
    for (int s = 0; s < c.offsets().sequences(); s++) {
      long begin = c.offsets().start(s);
      long length = c.offsets().length(s);
      for (long i = 0; i < columns; i++) {
        double value = 0;
        if (length > 0) {
          value = x.get((c.mode() == PoolingMode.LAST ? begin + length - 1 : begin) * columns + i);
          for (long t = 1; t < length; t++) {
            double next = x.get((begin + t) * columns + i);
            if (c.mode() == PoolingMode.MEAN) {
              value = p.round(value + next);
            } else if (c.mode() == PoolingMode.MAX) {
              value = Math.max(value, next);
            }
          }
          value = c.mode() == PoolingMode.MEAN ? p.round(value / length) : value;
        }
        y.set(s * columns + i, value);
      }
    }
  }
}
