package dev.gatun.kernels.cuda;

import static dev.gatun.kernels.cuda.CudaKernels.dtype;

import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.Operand;

/** Operands of products in the type that the product takes. */
final class Casts {
  private final Launcher launcher;
  private final CudaMemory memory;

  Casts(Launcher launcher, CudaMemory memory) {
    this.launcher = launcher;
    this.memory = memory;
  }

  /** The elements of a contiguous operand in another floating-point type. */
  Buffer cast(Operand from, DType to) {
    Buffer buffer = memory.allocate(from.count() * to.bytes());
    launcher.elements(
        "cast",
        from.count(),
        launcher
            .arguments()
            .operand(from)
            .address(CudaMemory.address(buffer))
            .integer(dtype(from.dtype()))
            .integer(dtype(to))
            .number(from.count()));
    return buffer;
  }
}
