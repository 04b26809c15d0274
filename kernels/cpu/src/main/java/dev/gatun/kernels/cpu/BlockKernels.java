package dev.gatun.kernels.cpu;

import static dev.gatun.kernels.cpu.Arguments.address;
import static dev.gatun.kernels.cpu.Arguments.dtype;

import dev.gatun.bindings.cpu.CpuBlocks;
import dev.gatun.kernels.api.call.matmul.Dequantize;
import dev.gatun.kernels.api.call.matmul.Quantize;
import dev.gatun.kernels.api.call.matmul.QuantizedPack;
import dev.gatun.kernels.api.memory.BlockFormat;
import dev.gatun.kernels.api.memory.Operand;
import dev.gatun.kernels.formats.HostBlocks;

/**
 * Makes blocks of weights, takes them apart and packs them. What the library refuses, because a
 * number or a scale is not finite, is given to {@link HostBlocks}, which names the element.
 */
final class BlockKernels {
  private BlockKernels() {}

  static void run(Quantize c) {
    Operand w = c.weight();
    CpuBlocks.quantize(
        address(w),
        dtype(w.dtype()),
        w.stride(0),
        w.stride(1),
        w.size(0),
        w.size(1),
        format(c.format(), w.size(1)),
        address(c.blocks()),
        () -> HostBlocks.quantize(c.format(), c.weight(), c.blocks()));
  }

  static void run(Dequantize c) {
    CpuBlocks.dequantize(
        address(c.blocks()),
        c.blocks().stride(0),
        c.weight().size(0),
        c.weight().size(1),
        format(c.format(), c.weight().size(1)),
        address(c.weight()));
  }

  static void run(QuantizedPack c) {
    if (!c.layout().equals(c.format().layout())) {
      throw new UnsupportedOperationException(
          "quantized_pack: blocks of %s become %s on the processor, not %s"
              .formatted(c.format(), c.format().layout(), c.layout()));
    }
    CpuBlocks.pack(
        address(c.blocks()),
        c.blocks().stride(0),
        c.blocks().size(0),
        c.inFeatures(),
        format(c.format(), c.inFeatures()),
        address(c.packed()),
        () -> HostBlocks.pack(c.format(), c.layout(), c.inFeatures(), c.blocks(), c.packed()));
  }

  /** How a format is named there. */
  static CpuBlocks.Format format(BlockFormat format, long inFeatures) {
    boolean wholeRow = format.layout().group() == 0;
    return new CpuBlocks.Format(
        format.kind().ordinal(), wholeRow ? 0 : format.blockSize(inFeatures));
  }
}
