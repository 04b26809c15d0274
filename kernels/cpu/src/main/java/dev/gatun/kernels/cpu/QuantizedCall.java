package dev.gatun.kernels.cpu;

import static dev.gatun.kernels.cpu.CpuKernels.address;
import static dev.gatun.kernels.cpu.CpuKernels.dtype;

import dev.gatun.bindings.cpu.CpuQuantized;
import dev.gatun.kernels.api.call.matmul.ActivationCodes;
import dev.gatun.kernels.api.call.matmul.QuantizedMatmul;
import java.lang.foreign.MemorySegment;

/** Products with quantised weights. */
final class QuantizedCall {
  private QuantizedCall() {}

  private static CpuQuantized.Codes codes(ActivationCodes codes) {
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
        codes(c.codes()),
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
}
