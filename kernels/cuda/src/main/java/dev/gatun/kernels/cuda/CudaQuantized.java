package dev.gatun.kernels.cuda;

import dev.gatun.kernels.api.call.matmul.Dequantize;
import dev.gatun.kernels.api.call.matmul.Quantize;
import dev.gatun.kernels.api.call.matmul.QuantizedPack;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.api.memory.PackedLayout;
import dev.gatun.kernels.cuda.Declarations.BlockPack;
import dev.gatun.kernels.formats.HostBlocks;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.function.BiConsumer;

/**
 * Blocks of weights. They are packed on the device, to the byte as on the host. They are made and
 * taken apart on the host, in Java: this happens once, and the search for scales of GGML's formats
 * is no work for a device.
 */
final class CudaQuantized {
  // Of a grid's second side.
  private static final long MOST_GROUPS = 65_535;

  private final Launcher launcher;
  private final CudaMemory memory;

  CudaQuantized(Launcher launcher, CudaMemory memory) {
    this.launcher = launcher;
    this.memory = memory;
  }

  void run(Quantize c) {
    onHost(
        c.weight(),
        c.blocks(),
        (weight, blocks) -> HostBlocks.quantize(c.format(), c.weight(), weight, blocks));
  }

  void run(Dequantize c) {
    onHost(
        c.blocks(),
        c.weight(),
        (blocks, weight) ->
            HostBlocks.dequantize(c.format(), c.blocks(), blocks, c.weight().size(1), weight));
  }

  void run(QuantizedPack c) {
    pack(c.kernel(), c);
  }

  /**
   * Requires that kernels here read a layout.
   *
   * @throws UnsupportedOperationException naming the layout, and those that are read
   */
  static void requireReadable(String kernel, PackedLayout layout) {
    boolean wide =
        switch (layout.scales()) {
          case F32, F16, F16_ZERO, F32_MIN, F32_SUM -> layout.upperBits() == 0;
          case F16_MIN, F16_BYTE, F16_BYTE_MIN -> false;
        };
    if (!wide) {
      throw new UnsupportedOperationException(
          "%s: weights packed as %s are not read on CUDA devices, expected codes of 4 or 8 bits with a scale for each group: pack the blocks for this device"
              .formatted(kernel, layout));
    }
  }

  /** Packs for a kernel, whose name a refusal has. */
  void pack(String kernel, QuantizedPack c) {
    requireReadable(kernel, c.layout());
    PackedLayout layout = c.layout();
    long groups = layout.groups(c.inFeatures());
    boolean fits = Vectors.areAligned(c.packed()) && groups <= MOST_GROUPS;
    if (fits && hasFiniteScales(c)) {
      launcher.launch(
          "quantized_pack",
          Math.ceilDiv(c.blocks().size(0), PackedLayout.PANEL),
          groups,
          1,
          arguments(c, 0));
    } else {
      // Names the block whose scale is no number.
      onHost(
          c.blocks(),
          c.packed(),
          (blocks, packed) -> {
            HostBlocks.requireFinite(kernel, c.format(), c.inFeatures(), c.blocks(), blocks);
            HostBlocks.pack(c.format(), c.layout(), c.inFeatures(), c.blocks(), blocks, packed);
          });
    }
  }

  private boolean hasFiniteScales(QuantizedPack c) {
    long blocks = c.blocks().size(0) * (c.inFeatures() / c.format().blockSize(c.inFeatures()));
    try (Arena arena = Arena.ofConfined();
        Buffer first = memory.allocate(Long.BYTES)) {
      launcher.stream().fill(CudaMemory.address(first), 0xff, Long.BYTES);
      launcher.elements("quantized_scales_check", blocks, arguments(c, CudaMemory.address(first)));
      MemorySegment found = arena.allocate(ValueLayout.JAVA_LONG);
      memory.read(CudaMemory.address(first), found);
      return found.get(ValueLayout.JAVA_LONG, 0) == -1;
    }
  }

  private Arguments arguments(QuantizedPack c, long first) {
    PackedLayout layout = c.layout();
    long k = c.inFeatures();
    return launcher
        .arguments()
        .begin(BlockPack.STRUCT)
        .set(BlockPack.BLOCKS, c.blocks())
        .set(BlockPack.PACKED, c.packed())
        .set(BlockPack.FIRST, first)
        .set(BlockPack.ROW_STRIDE, c.blocks().stride(0))
        .set(BlockPack.N, c.blocks().size(0))
        .set(BlockPack.K, k)
        .set(BlockPack.BLOCK_SIZE, c.format().blockSize(k))
        .set(BlockPack.BLOCK_BYTES, c.format().blockBytes(k))
        .set(BlockPack.GROUP, layout.groupSize(k))
        .set(BlockPack.RECORD, layout.recordBytes(k))
        .set(BlockPack.KIND, c.format().kind().ordinal())
        .set(BlockPack.BITS, layout.bits())
        .set(BlockPack.SCALES, layout.scales().ordinal())
        .end();
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
      last += (operand.size(axis) - 1) * operand.stride(axis);
    }
    return (last + 1) * operand.dtype().bytes();
  }
}
