package dev.gatun.kernels.cpu;

import static dev.gatun.kernels.cpu.Arguments.address;
import static dev.gatun.kernels.cpu.Arguments.codes;
import static dev.gatun.kernels.cpu.Arguments.dtype;

import dev.gatun.bindings.cpu.CpuQuantized;
import dev.gatun.bindings.cpu.CpuRows;
import dev.gatun.kernels.api.call.matmul.ActivationCodes;
import dev.gatun.kernels.api.call.matmul.BlockMatmul;
import dev.gatun.kernels.api.call.matmul.QuantizeTokens;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import dev.gatun.kernels.formats.HostBlocks;
import java.lang.foreign.MemorySegment;

/** Products with quantised weights. */
final class QuantizedKernels {
  private QuantizedKernels() {}

  private static CpuQuantized.Codes meaning(ActivationCodes codes) {
    return codes == null
        ? new CpuQuantized.Codes(MemorySegment.NULL, MemorySegment.NULL, false)
        : new CpuQuantized.Codes(
            address(codes.scales()), address(codes.offsets()), codes.scales().size(0) == 1);
  }

  static void run(QuantizedMatmul c) {
    CpuQuantized.matmul(
        address(c.x()),
        c.codes() == null ? dtype(c.x().dtype()) : 0,
        c.x().stride(0),
        meaning(c.codes()),
        new CpuQuantized.Weight(
            address(c.packed()),
            c.layout().bits(),
            c.layout().group(),
            c.layout().scales().ordinal()),
        c.activations().ordinal(),
        address(c.bias()),
        address(c.residual()),
        c.residual() == null ? 0 : c.residual().stride(0),
        address(c.y()),
        dtype(c.y().dtype()),
        c.y().stride(0),
        c.x().size(0),
        c.y().size(1),
        c.x().size(1),
        c.activation().ordinal());
  }

  static void run(BlockMatmul c) {
    long in = c.x().size(1);
    CpuQuantized.blockMatmul(
        address(c.x()),
        dtype(c.x().dtype()),
        c.x().stride(0),
        address(c.blocks()),
        c.blocks().stride(0),
        BlockKernels.format(c.format(), in),
        c.activations().ordinal(),
        address(c.bias()),
        address(c.y()),
        dtype(c.y().dtype()),
        c.y().stride(0),
        c.x().size(0),
        c.y().size(1),
        in,
        c.activation().ordinal(),
        () -> HostBlocks.requireFinite(c.kernel(), c.format(), in, c.blocks()));
  }

  static void run(QuantizeTokens c) {
    CpuRows.quantizeTokens(
        address(c.x()),
        dtype(c.x().dtype()),
        c.x().stride(0),
        codes(c.codes()),
        c.x().size(0),
        c.x().size(1));
  }
}
