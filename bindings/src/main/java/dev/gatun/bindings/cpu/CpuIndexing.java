package dev.gatun.bindings.cpu;

import dev.gatun.bindings.generated.cpu.gatun_cpu_h;
import java.lang.foreign.MemorySegment;

/** Copies, and selection by index; arguments are as {@code gatun_cpu.h} says. */
public final class CpuIndexing {
  private CpuIndexing() {}

  /**
   * @param layout the shape, then the strides of x and y
   */
  public static void copy(MemorySegment x, MemorySegment y, int elementBytes, long[]... layout) {
    CpuLibrary.check(
        "copy",
        gatun_cpu_h.gatun_copy(
            CpuRecording.current(),
            x,
            y,
            elementBytes,
            layout[0].length,
            CpuLayouts.write(layout)));
  }

  public static void indexSelect(
      MemorySegment x,
      long outer,
      long length,
      long entryBytes,
      MemorySegment ids,
      long count,
      MemorySegment y) {
    CpuLibrary.check(
        "index_select",
        gatun_cpu_h.gatun_index_select(
            CpuRecording.current(), x, outer, length, entryBytes, ids, count, y));
  }

  public static void indexAdd(
      MemorySegment x,
      int xDtype,
      MemorySegment ids,
      long count,
      MemorySegment y,
      int yDtype,
      long rows,
      long columns) {
    CpuLibrary.check(
        "index_add",
        gatun_cpu_h.gatun_index_add(
            CpuRecording.current(), x, xDtype, ids, count, y, yDtype, rows, columns));
  }
}
