package dev.gatun.kernels.cpu;

import static dev.gatun.kernels.cpu.CpuKernels.address;
import static dev.gatun.kernels.cpu.CpuKernels.dtype;

import dev.gatun.bindings.cpu.CpuLibrary;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.MemorySegment;

/** Chooses the native product by the type of the packed weight. */
final class MatmulCall {
  private MatmulCall() {}

  static void run(MatmulPack c) {
    Operand w = c.weight();
    MemorySegment weight = address(w);
    MemorySegment packed = address(c.packed());
    int from = dtype(w.dtype());
    switch (c.packed().dtype()) {
      case F32 ->
          CpuLibrary.matmulPack(weight, w.stride(0), w.stride(1), w.size(0), w.size(1), packed);
      case BF16 ->
          CpuLibrary.matmulPackBf16(
              weight, from, w.stride(0), w.stride(1), w.size(0), w.size(1), packed);
      default ->
          CpuLibrary.matmulPackF16(
              weight, from, w.stride(0), w.stride(1), w.size(0), w.size(1), packed);
    }
  }

  static void run(Matmul c) {
    MemorySegment x = address(c.x());
    MemorySegment packed = address(c.packed());
    MemorySegment bias = address(c.bias());
    MemorySegment y = address(c.y());
    int from = dtype(c.x().dtype());
    int to = dtype(c.y().dtype());
    long xStride = c.x().stride(0);
    long yStride = c.y().stride(0);
    long m = c.x().size(0);
    long n = c.y().size(1);
    long k = c.x().size(1);
    int activation = c.activation().ordinal();
    switch (c.packed().dtype()) {
      case F32 -> CpuLibrary.matmul(x, xStride, packed, bias, y, yStride, m, n, k, activation);
      case BF16 ->
          CpuLibrary.matmulBf16(
              x, from, xStride, packed, bias, y, to, yStride, m, n, k, activation);
      default ->
          CpuLibrary.matmulF16(x, from, xStride, packed, bias, y, to, yStride, m, n, k, activation);
    }
  }
}
