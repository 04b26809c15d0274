package dev.gatun.bindings.cpu;

import dev.gatun.bindings.generated.cpu.gatun_cpu_h;
import java.lang.foreign.MemorySegment;

/** The products with quantised weights of {@code gatun_cpu.h}, with their status checked. */
public final class CpuQuantized {
  private CpuQuantized() {}

  /**
   * Names a packed weight.
   *
   * @param bits of a code
   * @param group input features that share a scale, 0 for all
   * @param scales {@code gatun_scales}
   */
  public record Weight(MemorySegment packed, int bits, long group, int scales) {}

  /**
   * Says what signed bytes mean.
   *
   * @param scales null where activations are floats
   * @param shared whether there is one scale for all rows
   */
  public record Codes(MemorySegment scales, MemorySegment offsets, boolean shared) {}

  public static void matmul(
      MemorySegment x,
      int xDtype,
      long xStride,
      Codes codes,
      Weight weight,
      int activations,
      MemorySegment bias,
      MemorySegment residual,
      long residualStride,
      MemorySegment y,
      int yDtype,
      long yStride,
      long m,
      long n,
      long k,
      int activation) {
    CpuLibrary.check(
        "quantized_matmul",
        gatun_cpu_h.gatun_quantized_matmul(
            CpuRecording.current(),
            x,
            xDtype,
            xStride,
            codes.scales(),
            codes.offsets(),
            codes.shared() ? 1 : 0,
            weight.packed(),
            weight.bits(),
            weight.group(),
            weight.scales(),
            activations,
            bias,
            residual,
            residualStride,
            y,
            yDtype,
            yStride,
            m,
            n,
            k,
            activation));
  }

  /**
   * @param explain throws what is wrong where a scale or a minimum is not finite
   */
  public static void blockMatmul(
      MemorySegment x,
      int xDtype,
      long xStride,
      MemorySegment blocks,
      long rowStride,
      CpuBlocks.Format format,
      int activations,
      MemorySegment bias,
      MemorySegment y,
      int yDtype,
      long yStride,
      long m,
      long n,
      long k,
      int activation,
      Runnable explain) {
    CpuLibrary.check(
        "block_matmul",
        gatun_cpu_h.gatun_block_matmul(
            CpuRecording.current(),
            x,
            xDtype,
            xStride,
            blocks,
            rowStride,
            format.kind(),
            format.block(),
            activations,
            bias,
            y,
            yDtype,
            yStride,
            m,
            n,
            k,
            activation),
        explain);
  }
}
