package dev.gatun.bindings.cuda;

import static dev.gatun.bindings.cuda.CudaDriver.check;

import dev.gatun.bindings.generated.cuda.cuda_h;
import java.lang.foreign.MemorySegment;

/** Work that was captured from a stream. */
public final class CudaGraph implements AutoCloseable {
  private final CudaContext context;
  private final CudaStream stream;
  private final MemorySegment handle;

  CudaGraph(CudaContext context, CudaStream stream, MemorySegment handle) {
    this.context = context;
    this.stream = stream;
    this.handle = handle;
  }

  /** Submits all of it to the stream that it was captured from. */
  public void launch() {
    context.makeCurrent();
    check(cuda_h.cuGraphLaunch(handle, stream.handle()), "cuGraphLaunch");
  }

  @Override
  public void close() {
    context.makeCurrent();
    check(cuda_h.cuGraphExecDestroy(handle), "cuGraphExecDestroy");
  }
}
