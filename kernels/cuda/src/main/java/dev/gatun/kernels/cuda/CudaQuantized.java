package dev.gatun.kernels.cuda;

import dev.gatun.kernels.api.Dequantize;
import dev.gatun.kernels.api.Operand;
import dev.gatun.kernels.api.Quantize;
import dev.gatun.kernels.api.QuantizedPack;
import dev.gatun.kernels.api.quantized.HostBlocks;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.function.BiConsumer;

/**
 * Blocks of weights. They are made, packed and taken apart on the host, in Java: this happens once,
 * when a model is loaded, and the search for scales of GGML's formats is no work for a device. The
 * packed form is the processor's, to the byte.
 */
final class CudaQuantized {
  private final CudaMemory memory;

  CudaQuantized(CudaMemory memory) {
    this.memory = memory;
  }

  void run(Quantize c) {
    onHost(c.weight(), c.blocks(), (weight, blocks) -> HostBlocks.run(c, weight, blocks));
  }

  void run(Dequantize c) {
    onHost(c.blocks(), c.weight(), (blocks, weight) -> HostBlocks.run(c, blocks, weight));
  }

  void run(QuantizedPack c) {
    onHost(c.blocks(), c.packed(), (blocks, packed) -> HostBlocks.run(c, blocks, packed));
  }

  /** Brings the input here, and takes the output, which is contiguous, there. */
  private void onHost(
      Operand input, Operand output, BiConsumer<MemorySegment, MemorySegment> work) {
    // Shared, for several threads work on it.
    try (Arena arena = Arena.ofShared()) {
      MemorySegment from = arena.allocate(span(input), 64);
      MemorySegment to = arena.allocate(span(output), 64);
      memory.read(input.buffer(), input.byteOffset(), from);
      work.accept(from, to);
      memory.write(to, output.buffer(), output.byteOffset());
    }
  }

  /** Bytes from the first element to behind the last. */
  private static long span(Operand operand) {
    long last = 0;
    for (int axis = 0; axis < operand.rank(); axis++) {
      if (operand.size(axis) == 0) {
        return 0;
      }
      last += (operand.size(axis) - 1) * operand.stride(axis);
    }
    return (last + 1) * operand.dtype().bytes();
  }
}
