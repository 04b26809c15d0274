package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.call.reduction.ArgMax;
import dev.gatun.kernels.api.call.reduction.Pool;
import dev.gatun.kernels.api.call.reduction.Reduce;
import dev.gatun.kernels.api.call.reduction.TopK;
import dev.gatun.kernels.api.memory.Buffer;

/** Many elements that become few: sums, ranks, pooled sequences. */
final class CudaReductions {
  // Of top-k over a row, before counting ranks is faster.
  private static final int MOST_PASSES = 32;

  private final Launcher launcher;
  private final Uploads uploads;

  CudaReductions(Launcher launcher, Uploads uploads) {
    this.launcher = launcher;
    this.uploads = uploads;
  }

  void run(ArgMax c) {
    launcher.rows(
        "argmax",
        c.x().size(0),
        launcher
            .with(c.x(), c.y())
            .integer(dtype(c.x().dtype()))
            .integer(Math.toIntExact(c.x().size(1)))
            .number(c.x().stride(0)));
  }

  void run(Pool c) {
    try (Buffer offsets = uploads.ints(c.offsets().values())) {
      launcher.launch(
          "pool",
          c.offsets().sequences(),
          1,
          1,
          0,
          launcher
              .with(c.x())
              .address(CudaMemory.address(offsets))
              .operand(c.y())
              .integer(dtype(c.y().dtype()))
              .integer(c.mode().ordinal())
              .number(c.x().size(1)));
    }
  }

  void run(Reduce c) {
    launcher.rows(
        "reduce",
        c.y().count(),
        launcher
            .with(c.x(), c.y())
            .integer(dtype(c.x().dtype()))
            .integer(dtype(c.y().dtype()))
            .integer(c.reduction().ordinal())
            .numbers(c.x().stride(0), c.x().stride(1), c.x().stride(2))
            .numbers(c.x().size(1), c.x().size(2)));
  }

  void run(TopK c) {
    int columns = Math.toIntExact(c.x().size(1));
    int k = Math.toIntExact(c.values().size(1));
    Arguments arguments =
        launcher
            .with(c.x(), c.values(), c.indices())
            .integer(dtype(c.x().dtype()))
            .integer(columns)
            .number(c.x().stride(0))
            .integer(k);
    if (k <= MOST_PASSES) {
      launcher.rows("topk", c.x().size(0), arguments);
    } else {
      launcher.launch("topk_by_rank", c.x().size(0), Math.ceilDiv(columns, 256), 1, 0, arguments);
    }
  }
}
