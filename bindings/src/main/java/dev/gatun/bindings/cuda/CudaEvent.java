package dev.gatun.bindings.cuda;

import static dev.gatun.bindings.cuda.CudaDriver.check;

import dev.gatun.bindings.generated.cuda.cuda_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** A mark in a stream, kept for the life of the process. One that was never set is reached. */
public final class CudaEvent {
  private final CudaContext context;
  private final MemorySegment handle;

  public CudaEvent(CudaContext context) {
    this.context = context;
    context.makeCurrent();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment event = arena.allocate(ValueLayout.ADDRESS);
      check(cuda_h.cuEventCreate(event, cuda_h.CU_EVENT_DISABLE_TIMING()), "cuEventCreate");
      this.handle = event.get(ValueLayout.ADDRESS, 0);
    }
  }

  /** Sets the mark behind all that was submitted to a stream. */
  public void record(CudaStream stream) {
    context.makeCurrent();
    check(cuda_h.cuEventRecord(handle, stream.handle()), "cuEventRecord");
  }

  /**
   * Whether the stream got there.
   *
   * @throws CudaException when what was submitted before failed
   */
  public boolean isReached() {
    context.makeCurrent();
    int status = cuda_h.cuEventQuery(handle);
    if (status == cuda_h.CUDA_ERROR_NOT_READY()) {
      return false;
    }
    check(status, "cuEventQuery");
    return true;
  }

  /**
   * Waits until the stream gets there.
   *
   * @throws CudaException when what was submitted before failed
   */
  public void synchronize() {
    context.makeCurrent();
    check(cuda_h.cuEventSynchronize(handle), "cuEventSynchronize");
  }
}
