package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.call.reduction.ArgMax;
import dev.gatun.kernels.api.call.reduction.Pool;
import dev.gatun.kernels.api.call.reduction.Reduce;
import dev.gatun.kernels.api.call.reduction.ReductionCall;
import dev.gatun.kernels.api.call.reduction.Sample;
import dev.gatun.kernels.api.call.reduction.Scan;
import dev.gatun.kernels.api.call.reduction.TopK;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.KernelDType;

/** Many elements that become few: sums, ranks, pooled sequences. */
final class CudaReductions {
  // Of top-k over a row, before counting ranks is faster.
  private static final int MOST_PASSES = 32;

  private final Launcher launcher;

  CudaReductions(Launcher launcher) {
    this.launcher = launcher;
  }

  void run(ReductionCall call) {
    switch (call) {
      case ArgMax c -> argMax(c);
      case Pool c -> pool(c);
      case Reduce c -> reduce(c);
      case Sample c -> sample(c);
      case Scan c -> scan(c);
      case TopK c -> topK(c);
    }
  }

  private void argMax(ArgMax c) {
    launcher.rows(
        "argmax",
        c.x().size(0),
        launcher
            .with(c.x(), c.y())
            .integer(dtype(c.x().dtype()))
            .integer(Math.toIntExact(c.x().size(1)))
            .number(c.x().stride(0)));
  }

  private void pool(Pool c) {
    launcher.launch(
        "pool",
        c.offsets().sequences(),
        1,
        1,
        0,
        launcher
            .with(c.x(), c.offsets().values(), c.y())
            .integer(dtype(c.y().dtype()))
            .integer(c.mode().ordinal())
            .number(c.x().size(1)));
  }

  private void reduce(Reduce c) {
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

  private void sample(Sample c) {
    launcher.launch(
        "sample",
        c.x().size(0),
        1,
        1,
        launcher
            .with(c.x(), c.temperature(), c.settings(), c.y())
            .integer(Math.toIntExact(c.x().size(1)))
            .number(c.x().stride(0)));
  }

  private void scan(Scan c) {
    DType type = c.x().dtype();
    launcher.launch(
        "scan",
        c.x().size(0) * c.x().size(2),
        1,
        1,
        launcher
            .with(c.x(), c.y())
            .integer(KernelDType.number(type))
            .integer(c.op().ordinal())
            .numbers(c.x().stride(0), c.x().stride(1), c.x().stride(2))
            .numbers(c.x().size(1), c.x().size(2)));
  }

  private void topK(TopK c) {
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
