package dev.gatun.bindings.cpu;

import dev.gatun.bindings.generated.cpu.gatun_cpu_h;
import java.lang.foreign.MemorySegment;

/**
 * The functions of {@code gatun_cpu.h} for blocks of quantised weights, with their status checked.
 * Those that meet numbers without a meaning say so, for they do not know where.
 */
public final class CpuBlocks {
  private CpuBlocks() {}

  /**
   * Names a format.
   *
   * @param kind {@code gatun_blocks}
   * @param block elements of a block, 0 for all of a row
   */
  public record Format(int kind, long block) {}

  /** Whether all elements are finite, and their scales too. */
  public static boolean quantize(
      MemorySegment weight,
      int dtype,
      long weightStride,
      long elementStride,
      long n,
      long k,
      Format format,
      MemorySegment blocks) {
    return finite(
        "quantize",
        gatun_cpu_h.gatun_quantize(
            weight,
            dtype,
            weightStride,
            elementStride,
            n,
            k,
            format.kind(),
            format.block(),
            blocks));
  }

  public static void dequantize(
      MemorySegment blocks, long rowStride, long n, long k, Format format, MemorySegment weight) {
    CpuLibrary.check(
        "dequantize",
        gatun_cpu_h.gatun_dequantize(
            blocks, rowStride, n, k, format.kind(), format.block(), weight));
  }

  /** Whether all scales and minima are finite. */
  public static boolean pack(
      MemorySegment blocks, long rowStride, long n, long k, Format format, MemorySegment packed) {
    return finite(
        "quantized_pack",
        gatun_cpu_h.gatun_quantized_pack(
            blocks, rowStride, n, k, format.kind(), format.block(), packed));
  }

  private static boolean finite(String call, int status) {
    if (status == gatun_cpu_h.GATUN_NOT_FINITE()) {
      return false;
    }
    CpuLibrary.check(call, status);
    return true;
  }
}
