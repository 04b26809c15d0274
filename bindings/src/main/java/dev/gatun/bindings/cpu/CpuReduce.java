package dev.gatun.bindings.cpu;

import dev.gatun.bindings.generated.cpu.gatun_cpu_h;
import java.lang.foreign.MemorySegment;

/** Reductions and searches; arguments are as {@code gatun_cpu.h} says. */
public final class CpuReduce {
  private CpuReduce() {}

  /**
   * @param shape [outer, reduced, inner]
   * @param strides of x
   */
  public static void reduce(
      MemorySegment x,
      int xDtype,
      long[] shape,
      long[] strides,
      MemorySegment y,
      int yDtype,
      int reduction) {
    CpuLibrary.check(
        "reduce",
        gatun_cpu_h.gatun_reduce(
            CpuRecording.current(),
            x,
            xDtype,
            strides[0],
            strides[1],
            strides[2],
            y,
            yDtype,
            shape[0],
            shape[1],
            shape[2],
            reduction));
  }

  public static void scan(
      MemorySegment x, long[] shape, long[] strides, MemorySegment y, int dtype, int op) {
    CpuLibrary.check(
        "scan",
        gatun_cpu_h.gatun_scan(
            CpuRecording.current(),
            x,
            strides[0],
            strides[1],
            strides[2],
            y,
            dtype,
            shape[0],
            shape[1],
            shape[2],
            op));
  }

  public static void argmax(
      MemorySegment x, int dtype, long xStride, long rows, long columns, MemorySegment y) {
    CpuLibrary.check(
        "argmax",
        gatun_cpu_h.gatun_argmax(CpuRecording.current(), x, dtype, xStride, rows, columns, y));
  }

  public static void topk(
      MemorySegment x,
      int dtype,
      long xStride,
      long rows,
      long columns,
      long k,
      MemorySegment values,
      MemorySegment indices) {
    CpuLibrary.check(
        "topk",
        gatun_cpu_h.gatun_topk(
            CpuRecording.current(), x, dtype, xStride, rows, columns, k, values, indices));
  }

  /**
   * @param strides of x
   * @param values or {@link MemorySegment#NULL}
   * @param indices or {@link MemorySegment#NULL}
   */
  public static void sort(
      MemorySegment x,
      long[] strides,
      int dtype,
      long rows,
      long columns,
      long k,
      boolean descending,
      MemorySegment values,
      MemorySegment indices) {
    CpuLibrary.check(
        "sort",
        gatun_cpu_h.gatun_sort(
            CpuRecording.current(),
            x,
            strides[0],
            strides[1],
            dtype,
            rows,
            columns,
            k,
            descending ? 1 : 0,
            values,
            indices));
  }

  public static void sample(
      MemorySegment x,
      long xStride,
      long rows,
      long columns,
      MemorySegment temperature,
      MemorySegment settings,
      MemorySegment y) {
    CpuLibrary.check(
        "sample",
        gatun_cpu_h.gatun_sample(
            CpuRecording.current(), x, xStride, rows, columns, temperature, settings, y));
  }
}
