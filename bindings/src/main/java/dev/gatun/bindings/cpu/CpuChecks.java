package dev.gatun.bindings.cpu;

import dev.gatun.bindings.generated.cpu.gatun_cpu_h;
import java.lang.foreign.MemorySegment;

/**
 * Looks at numbers that kernels take as indices, each as {@code gatun_cpu.h} says. What is wrong is
 * told by the caller: a check that fails runs {@code explain}, which throws it.
 */
public final class CpuChecks {
  private CpuChecks() {}

  /**
   * @param exception an id that is fine nevertheless, or null
   */
  public static void indices(
      MemorySegment ids, long count, long limit, Long exception, Runnable explain) {
    CpuLibrary.check(
        "check_indices",
        gatun_cpu_h.gatun_check_indices(
            CpuRecording.current(),
            ids,
            count,
            limit,
            exception == null ? 0 : 1,
            exception == null ? 0 : exception),
        explain);
  }

  public static void places(
      MemorySegment places, long count, int least, long limit, Runnable explain) {
    CpuLibrary.check(
        "check_places",
        gatun_cpu_h.gatun_check_places(CpuRecording.current(), places, count, least, limit),
        explain);
  }

  public static void distinct(MemorySegment ids, long count, long exception, Runnable explain) {
    CpuLibrary.check(
        "check_distinct",
        gatun_cpu_h.gatun_check_distinct(CpuRecording.current(), ids, count, exception),
        explain);
  }

  /**
   * @param all whether the last sequence must end at the last token
   */
  public static void offsets(
      MemorySegment offsets,
      long sequences,
      long tokens,
      long longest,
      boolean all,
      Runnable explain) {
    CpuLibrary.check(
        "check_offsets",
        gatun_cpu_h.gatun_check_offsets(
            CpuRecording.current(), offsets, sequences, tokens, longest, all ? 1 : 0),
        explain);
  }

  public static void pages(
      MemorySegment table,
      long stride,
      MemorySegment lengths,
      long batch,
      long pageSize,
      long pages,
      Runnable explain) {
    CpuLibrary.check(
        "check_pages",
        gatun_cpu_h.gatun_check_pages(
            CpuRecording.current(), table, stride, lengths, batch, pageSize, pages),
        explain);
  }

  /**
   * @param rows NULL for none
   */
  public static void groups(
      MemorySegment offsets,
      long experts,
      long places,
      MemorySegment rows,
      long limit,
      Runnable explain) {
    CpuLibrary.check(
        "check_groups",
        gatun_cpu_h.gatun_check_groups(
            CpuRecording.current(), offsets, experts, places, rows, limit),
        explain);
  }
}
