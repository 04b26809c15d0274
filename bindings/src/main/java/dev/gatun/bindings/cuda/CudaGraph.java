package dev.gatun.bindings.cuda;

import static dev.gatun.bindings.cuda.CudaDriver.check;

import dev.gatun.bindings.generated.cuda.cuda_h;
import java.lang.foreign.MemorySegment;

/** Work that was captured from a stream. */
public final class CudaGraph implements AutoCloseable {
  private final CudaContext context;
  private final MemorySegment handle;

  CudaGraph(CudaContext context, MemorySegment handle) {
    this.context = context;
    this.handle = handle;
  }

  /** Submits all of it to a stream. */
  public void launch(CudaStream stream) {
    context.makeCurrent();
    check(cuda_h.cuGraphLaunch(handle, stream.handle()), "cuGraphLaunch");
  }

  /** Gives it back, once what was submitted is done. */
  @Override
  public void close() {
    context.makeCurrent();
    check(cuda_h.cuGraphExecDestroy(handle), "cuGraphExecDestroy");
  }
}
