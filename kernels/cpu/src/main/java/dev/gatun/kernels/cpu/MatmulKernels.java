package dev.gatun.kernels.cpu;

import static dev.gatun.kernels.cpu.Arguments.address;
import static dev.gatun.kernels.cpu.Arguments.dtype;

import dev.gatun.bindings.cpu.CpuLibrary;
import dev.gatun.kernels.api.call.matmul.BatchedMatmul;
import dev.gatun.kernels.api.call.matmul.BlockMatmul;
import dev.gatun.kernels.api.call.matmul.Dequantize;
import dev.gatun.kernels.api.call.matmul.Matmul;
import dev.gatun.kernels.api.call.matmul.MatmulCall;
import dev.gatun.kernels.api.call.matmul.MatmulPack;
import dev.gatun.kernels.api.call.matmul.Quantize;
import dev.gatun.kernels.api.call.matmul.QuantizeTokens;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.api.call.matmul.QuantizedPack;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.MemorySegment;

/** Chooses the native product by the type of the packed weight. */
final class MatmulKernels {
  private MatmulKernels() {}

  static void run(MatmulCall call) {
    switch (call) {
      case Matmul c -> matmul(c);
      case BatchedMatmul c -> batchedMatmul(c);
      case QuantizedMatmul c -> QuantizedKernels.run(c);
      case BlockMatmul c -> QuantizedKernels.run(c);
      case MatmulPack c -> matmulPack(c);
      case Quantize c -> BlockKernels.run(c);
      case Dequantize c -> BlockKernels.run(c);
      case QuantizedPack c -> BlockKernels.run(c);
      case QuantizeTokens c -> QuantizedKernels.run(c);
    }
  }

  private static void matmulPack(MatmulPack c) {
    c.each().forEach(MatmulKernels::pack);
  }

  private static void pack(MatmulPack c) {
    Operand w = c.weight();
    MemorySegment weight = address(w);
    MemorySegment packed = address(c.packed());
    int from = dtype(w.dtype());
    switch (c.packed().dtype()) {
      case F32 ->
          CpuLibrary.matmulPackF32(
              weight, from, w.stride(0), w.stride(1), w.size(0), w.size(1), packed);
      case BF16 ->
          CpuLibrary.matmulPackBf16(
              weight, from, w.stride(0), w.stride(1), w.size(0), w.size(1), packed);
      default ->
          CpuLibrary.matmulPackF16(
              weight, from, w.stride(0), w.stride(1), w.size(0), w.size(1), packed);
    }
  }

  private static void matmul(Matmul c) {
    MemorySegment x = address(c.x());
    MemorySegment weight = address(c.weight());
    // A row alone has any distance from the next.
    long apart = c.y().size(1) > 1 && !c.isPacked() ? c.weight().stride(0) : c.x().size(1);
    long weightStride = c.isPacked() ? CpuLibrary.packed() : apart;
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
    switch (c.weight().dtype()) {
      case F32 ->
          CpuLibrary.matmul(
              x, xStride, weight, weightStride, bias, y, yStride, m, n, k, activation);
      case BF16 ->
          CpuLibrary.matmulBf16(
              x, from, xStride, weight, weightStride, bias, y, to, yStride, m, n, k, activation);
      default ->
          CpuLibrary.matmulF16(
              x, from, xStride, weight, weightStride, bias, y, to, yStride, m, n, k, activation);
    }
  }

  private static void batchedMatmul(BatchedMatmul c) {
    CpuLibrary.batchedMatmul(
        address(c.a()),
        c.a().strides(),
        address(c.b()),
        c.b().strides(),
        dtype(c.a().dtype()),
        address(c.c()),
        dtype(c.c().dtype()),
        c.a().size(0),
        c.a().size(1),
        c.b().size(1),
        c.a().size(2),
        c.accumulate());
  }
}
