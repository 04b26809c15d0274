package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;
import static dev.gatun.kernels.cuda.Declarations.SORT_PART;

import dev.gatun.kernels.api.call.reduction.ArgMax;
import dev.gatun.kernels.api.call.reduction.Pool;
import dev.gatun.kernels.api.call.reduction.Reduce;
import dev.gatun.kernels.api.call.reduction.ReductionCall;
import dev.gatun.kernels.api.call.reduction.Sample;
import dev.gatun.kernels.api.call.reduction.Scan;
import dev.gatun.kernels.api.call.reduction.Sort;
import dev.gatun.kernels.api.call.reduction.TopK;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.KernelDType;
import dev.gatun.kernels.cuda.Declarations.Entry;

/** Many elements that become few: sums, ranks, pooled sequences. */
final class CudaReductions {
  // Of top-k over a row, before counting ranks is faster.
  private static final int MOST_PASSES = 32;

  private final Launcher launcher;
  private final CudaMemory memory;

  CudaReductions(Launcher launcher, CudaMemory memory) {
    this.launcher = launcher;
    this.memory = memory;
  }

  void run(ReductionCall call) {
    switch (call) {
      case ArgMax c -> argMax(c);
      case Pool c -> pool(c);
      case Reduce c -> reduce(c);
      case Sample c -> sample(c);
      case Scan c -> scan(c);
      case Sort c -> sort(c);
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

  private void sort(Sort c) {
    long columns = c.x().size(1);
    long count = c.x().size(0) * columns;
    try (Buffer sorted = memory.allocate(Entry.STRUCT.bytes() * count);
        Buffer merged = memory.allocate(columns > SORT_PART ? Entry.STRUCT.bytes() * count : 0)) {
      launcher.launch(
          "sort_parts",
          c.x().size(0) * Math.ceilDiv(columns, SORT_PART),
          1,
          1,
          launcher
              .with(c.x())
              .address(CudaMemory.address(sorted))
              .integer(KernelDType.number(c.x().dtype()))
              .integer(c.descending() ? 1 : 0)
              .numbers(c.x().stride(0), c.x().stride(1), columns));
      long from = CudaMemory.address(sorted);
      long to = CudaMemory.address(merged);
      for (long part = SORT_PART; part < columns; part *= 2) {
        launcher.elements(
            "sort_merge",
            count,
            launcher.arguments().address(from).address(to).numbers(part, columns, count));
        long done = to;
        to = from;
        from = done;
      }
      long taken = c.x().size(0) * c.k();
      launcher.elements(
          "sort_take",
          taken,
          launcher
              .arguments()
              .address(from)
              .operand(c.x())
              .operand(c.values())
              .operand(c.indices())
              .integer(c.x().dtype().bytes())
              .numbers(c.x().stride(0), c.x().stride(1), columns, c.k(), taken));
    }
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
