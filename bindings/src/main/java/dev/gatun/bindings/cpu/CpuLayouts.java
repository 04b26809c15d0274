package dev.gatun.bindings.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Shapes and strides in native memory. */
final class CpuLayouts {
  private static final int MOST = 32;

  // One block a thread: made once, so that a call allocates nothing.
  private static final ThreadLocal<MemorySegment> BLOCK =
      ThreadLocal.withInitial(() -> Arena.ofAuto().allocate(ValueLayout.JAVA_LONG, MOST));

  private CpuLayouts() {}

  /**
   * The numbers one after another, until this thread's next call, or as long as what it records.
   */
  static MemorySegment write(long[]... parts) {
    MemorySegment kept = CpuRecording.arguments(8L * MOST);
    MemorySegment block = kept == null ? BLOCK.get() : kept;
    int next = 0;
    for (long[] part : parts) {
      MemorySegment.copy(part, 0, block, ValueLayout.JAVA_LONG, 8L * next, part.length);
      next += part.length;
    }
    return block;
  }
}
