package dev.gatun.bindings.cpu;

import dev.gatun.bindings.generated.cpu.gatun_cpu_h;
import java.lang.foreign.MemorySegment;

/** Kernels that work on each element on its own; arguments are as {@code gatun_cpu.h} says. */
public final class CpuElementwise {
  private CpuElementwise() {}

  /**
   * @param layout the shape, then the strides of a, b and y
   */
  public static void elementwise(
      MemorySegment a, MemorySegment b, MemorySegment y, int dtype, int op, long[]... layout) {
    CpuLibrary.check(
        "elementwise",
        gatun_cpu_h.gatun_elementwise(
            CpuRecording.current(),
            a,
            b,
            y,
            dtype,
            op,
            layout[0].length,
            CpuLayouts.write(layout)));
  }

  /**
   * @param layout the shape, then the strides of x and y
   */
  public static void unary(MemorySegment x, MemorySegment y, int dtype, int op, long[]... layout) {
    CpuLibrary.check(
        "unary",
        gatun_cpu_h.gatun_unary(
            CpuRecording.current(), x, y, dtype, op, layout[0].length, CpuLayouts.write(layout)));
  }

  /**
   * @param layout the shape, then the strides of a, b and y
   */
  public static void compare(
      MemorySegment a,
      MemorySegment b,
      MemorySegment y,
      int dtype,
      int comparison,
      long[]... layout) {
    CpuLibrary.check(
        "compare",
        gatun_cpu_h.gatun_compare(
            CpuRecording.current(),
            a,
            b,
            y,
            dtype,
            comparison,
            layout[0].length,
            CpuLayouts.write(layout)));
  }

  /**
   * @param layout the shape, then the strides of the condition, a, b and y
   */
  public static void where(
      MemorySegment condition,
      MemorySegment a,
      MemorySegment b,
      MemorySegment y,
      int elementBytes,
      long[]... layout) {
    CpuLibrary.check(
        "where",
        gatun_cpu_h.gatun_where(
            CpuRecording.current(),
            condition,
            a,
            b,
            y,
            elementBytes,
            layout[0].length,
            CpuLayouts.write(layout)));
  }

  public static void random(
      MemorySegment y,
      int dtype,
      long count,
      int distribution,
      float first,
      float second,
      long seed,
      long sequence) {
    CpuLibrary.check(
        "random_numbers",
        gatun_cpu_h.gatun_random_numbers(
            CpuRecording.current(), y, dtype, count, distribution, first, second, seed, sequence));
  }

  public static void dropout(
      MemorySegment x, MemorySegment y, int dtype, long count, float probability, long seed) {
    CpuLibrary.check(
        "dropout",
        gatun_cpu_h.gatun_dropout(CpuRecording.current(), x, y, dtype, count, probability, seed));
  }
}
