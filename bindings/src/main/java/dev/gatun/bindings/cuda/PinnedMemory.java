package dev.gatun.bindings.cuda;

import static dev.gatun.bindings.cuda.CudaDriver.check;

import dev.gatun.bindings.generated.cuda.cuda_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Host memory that a device reads and writes by itself while the host goes on. */
public final class PinnedMemory implements AutoCloseable {
  private final CudaContext context;
  private final MemorySegment segment;

  /**
   * @param bytes more than 0
   * @throws CudaException when there is not so much
   */
  public PinnedMemory(CudaContext context, long bytes) {
    this.context = context;
    context.makeCurrent();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pointer = arena.allocate(ValueLayout.ADDRESS);
      check(cuda_h.cuMemHostAlloc(pointer, bytes, 0), "cuMemHostAlloc(%d bytes)", bytes);
      this.segment = pointer.get(ValueLayout.ADDRESS, 0).reinterpret(bytes);
    }
  }

  /** The bytes; not to be touched once this is closed. */
  public MemorySegment segment() {
    return segment;
  }

  /** Gives the memory back, which no copy may use any more. */
  @Override
  public void close() {
    context.makeCurrent();
    check(cuda_h.cuMemFreeHost(segment), "cuMemFreeHost(%d bytes)", segment.byteSize());
  }
}
