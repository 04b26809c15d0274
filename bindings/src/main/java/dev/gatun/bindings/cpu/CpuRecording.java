package dev.gatun.bindings.cpu;

import dev.gatun.bindings.generated.cpu.gatun_cpu_h;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Kernel calls of a thread that are kept, to be made again by one call of the library. What a call
 * leads to by its pointers must stay until the recording is closed; argument blocks are the
 * recording's own. Not for use by two threads at once.
 */
public final class CpuRecording implements AutoCloseable {
  private static final AtomicInteger UNDER_WAY = new AtomicInteger();
  private static final ThreadLocal<CpuRecording> MINE = new ThreadLocal<>();

  private record Call(String name, Runnable explain) {}

  private final MemorySegment handle;
  private final List<Call> calls = new ArrayList<>();
  private final List<MemorySegment> blocks = new ArrayList<>();
  private final MemorySegment failed;

  public CpuRecording() {
    handle = gatun_cpu_h.gatun_new_recording();
    if (handle.address() == 0) {
      throw new OutOfMemoryError("gatun_new_recording: no native memory");
    }
    try {
      failed = block(Long.BYTES);
    } catch (OutOfMemoryError e) {
      gatun_cpu_h.gatun_free_recording(handle);
      throw e;
    }
  }

  /** Whether any thread records: without it none has to look for its own recording. */
  public static boolean isUnderWay() {
    return UNDER_WAY.get() != 0;
  }

  /** Keeps the kernel calls that this thread makes in a piece of work; none of them is done. */
  public void record(Runnable work) {
    MINE.set(this);
    UNDER_WAY.incrementAndGet();
    try {
      work.run();
    } finally {
      UNDER_WAY.decrementAndGet();
      MINE.remove();
    }
  }

  private static CpuRecording mine() {
    return isUnderWay() ? MINE.get() : null;
  }

  /** Where this thread's calls go: NULL for running them. */
  static MemorySegment current() {
    CpuRecording mine = mine();
    return mine == null ? MemorySegment.NULL : mine.handle;
  }

  /** Memory for arguments of the call to come that must last as long as it; null for any. */
  static MemorySegment arguments(long bytes) {
    CpuRecording mine = mine();
    return mine == null ? null : mine.block(bytes);
  }

  /**
   * Says what the call was that has just been made.
   *
   * @param explain throws what is wrong with what the call was given; or null
   */
  static void note(String name, Runnable explain) {
    CpuRecording mine = mine();
    if (mine != null) {
      mine.calls.add(new Call(name, explain));
    }
  }

  private MemorySegment block(long bytes) {
    MemorySegment block = CpuLibrary.allocate(bytes);
    if (block == null) {
      throw new OutOfMemoryError("recording: no %d bytes of native memory".formatted(bytes));
    }
    blocks.add(block);
    return block;
  }

  /** Keeps a copy of what host memory has now to the target; while this thread records. */
  public void write(MemorySegment source, MemorySegment target) {
    copy(block(source.byteSize()).copyFrom(source), 1, target);
  }

  /** Keeps the setting of every byte of the target; while this thread records. */
  public void fill(MemorySegment target, byte value) {
    MemorySegment one = block(1);
    one.set(ValueLayout.JAVA_BYTE, 0, value);
    copy(one, 0, target);
  }

  private static void copy(MemorySegment source, long stride, MemorySegment target) {
    long[] one = {1};
    CpuIndexing.copy(source, target, 1, new long[] {target.byteSize()}, new long[] {stride}, one);
  }

  /**
   * Makes all calls, in their order.
   *
   * @throws RuntimeException what the first call that fails would throw
   */
  public void run() {
    int status = gatun_cpu_h.gatun_run_recording(handle, failed);
    if (status != gatun_cpu_h.GATUN_OK()) {
      Call call = calls.get((int) failed.get(ValueLayout.JAVA_LONG, 0));
      throw CpuLibrary.failure(call.name(), status, call.explain());
    }
  }

  @Override
  public void close() {
    gatun_cpu_h.gatun_free_recording(handle);
    blocks.forEach(CpuLibrary::free);
  }
}
