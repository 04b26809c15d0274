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

  /**
   * @param instead what is done where an element or a scale is not finite
   */
  public static void quantize(
      MemorySegment weight,
      int dtype,
      long weightStride,
      long elementStride,
      long n,
      long k,
      Format format,
      MemorySegment blocks,
      Runnable instead) {
    finite(
        "quantize",
        gatun_cpu_h.gatun_quantize(
            CpuRecording.current(),
            weight,
            dtype,
            weightStride,
            elementStride,
            n,
            k,
            format.kind(),
            format.block(),
            blocks),
        instead);
  }

  public static void dequantize(
      MemorySegment blocks, long rowStride, long n, long k, Format format, MemorySegment weight) {
    CpuLibrary.check(
        "dequantize",
        gatun_cpu_h.gatun_dequantize(
            CpuRecording.current(),
            blocks,
            rowStride,
            n,
            k,
            format.kind(),
            format.block(),
            weight));
  }

  /**
   * @param instead what is done where a scale or a minimum is not finite
   */
  public static void pack(
      MemorySegment blocks,
      long rowStride,
      long n,
      long k,
      Format format,
      MemorySegment packed,
      Runnable instead) {
    finite(
        "quantized_pack",
        gatun_cpu_h.gatun_quantized_pack(
            CpuRecording.current(), blocks, rowStride, n, k, format.kind(), format.block(), packed),
        instead);
  }

  private static void finite(String call, int status, Runnable instead) {
    if (status == gatun_cpu_h.GATUN_NOT_FINITE()) {
      instead.run();
    } else {
      CpuLibrary.check(call, status, instead);
    }
  }
}
