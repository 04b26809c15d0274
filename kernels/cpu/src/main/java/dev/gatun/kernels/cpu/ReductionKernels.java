package dev.gatun.kernels.cpu;

import static dev.gatun.kernels.cpu.Arguments.address;
import static dev.gatun.kernels.cpu.Arguments.dtype;
import static dev.gatun.kernels.cpu.Arguments.ints;
import static dev.gatun.kernels.cpu.CpuMemory.segment;

import dev.gatun.bindings.cpu.CpuReduce;
import dev.gatun.bindings.cpu.CpuRows;
import dev.gatun.kernels.api.call.reduction.ArgMax;
import dev.gatun.kernels.api.call.reduction.Pool;
import dev.gatun.kernels.api.call.reduction.Reduce;
import dev.gatun.kernels.api.call.reduction.TopK;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.Memory;

/** Many elements that become few. */
final class ReductionKernels {
  private final Memory memory;

  ReductionKernels(Memory memory) {
    this.memory = memory;
  }

  static void run(ArgMax c) {
    CpuReduce.argmax(
        address(c.x()),
        dtype(c.x().dtype()),
        c.x().stride(0),
        c.x().size(0),
        c.x().size(1),
        address(c.y()));
  }

  void run(Pool c) {
    try (Buffer offsets = ints(memory, c.offsets().values())) {
      CpuRows.pool(
          address(c.x()),
          segment(offsets),
          c.offsets().sequences(),
          c.x().size(1),
          c.mode().ordinal(),
          address(c.y()),
          dtype(c.y().dtype()));
    }
  }

  static void run(Reduce c) {
    CpuReduce.reduce(
        address(c.x()),
        dtype(c.x().dtype()),
        c.x().shape(),
        c.x().strides(),
        address(c.y()),
        dtype(c.y().dtype()),
        c.reduction().ordinal());
  }

  static void run(TopK c) {
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
