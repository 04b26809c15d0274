package dev.gatun.kernels.cpu;

import static dev.gatun.kernels.cpu.Arguments.address;
import static dev.gatun.kernels.cpu.Arguments.dtype;
import static dev.gatun.kernels.cpu.Arguments.number;
import static dev.gatun.kernels.cpu.Arguments.offsets;

import dev.gatun.bindings.cpu.CpuReduce;
import dev.gatun.bindings.cpu.CpuRows;
import dev.gatun.kernels.api.call.reduction.ArgMax;
import dev.gatun.kernels.api.call.reduction.Pool;
import dev.gatun.kernels.api.call.reduction.Reduce;
import dev.gatun.kernels.api.call.reduction.ReductionCall;
import dev.gatun.kernels.api.call.reduction.Sample;
import dev.gatun.kernels.api.call.reduction.Scan;
import dev.gatun.kernels.api.call.reduction.Sort;
import dev.gatun.kernels.api.call.reduction.TopK;

/** Many elements that become few. */
final class ReductionKernels {
  private ReductionKernels() {}

  static void run(ReductionCall call) {
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

  private static void argMax(ArgMax c) {
    CpuReduce.argmax(
        address(c.x()),
        dtype(c.x().dtype()),
        c.x().stride(0),
        c.x().size(0),
        c.x().size(1),
        address(c.y()));
  }

  private static void pool(Pool c) {
    CpuRows.pool(
        address(c.x()),
        offsets(c, c.offsets()),
        c.offsets().sequences(),
        c.x().size(1),
        c.mode().ordinal(),
        address(c.y()),
        dtype(c.y().dtype()));
  }

  private static void reduce(Reduce c) {
    CpuReduce.reduce(
        address(c.x()),
        dtype(c.x().dtype()),
        c.x().shape(),
        c.x().strides(),
        address(c.y()),
        dtype(c.y().dtype()),
        c.reduction().ordinal());
  }

  private static void sample(Sample c) {
    CpuReduce.sample(
        address(c.x()),
        c.x().stride(0),
        c.x().size(0),
        c.x().size(1),
        address(c.temperature()),
        address(c.settings()),
        address(c.y()));
  }

  private static void scan(Scan c) {
    CpuReduce.scan(
        address(c.x()),
        c.x().shape(),
        c.x().strides(),
        address(c.y()),
        number(c.y().dtype()),
        c.op().ordinal());
  }

  private static void sort(Sort c) {
    CpuReduce.sort(
        address(c.x()),
        c.x().strides(),
        number(c.x().dtype()),
        c.x().size(0),
        c.x().size(1),
        c.k(),
        c.descending(),
        address(c.values()),
        address(c.indices()));
  }

  private static void topK(TopK c) {
    CpuReduce.topk(
        address(c.x()),
        dtype(c.x().dtype()),
        c.x().stride(0),
        c.x().size(0),
        c.x().size(1),
        c.values().size(1),
        address(c.values()),
        address(c.indices()));
  }
}
