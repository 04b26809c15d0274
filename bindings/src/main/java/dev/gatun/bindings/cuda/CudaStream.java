package dev.gatun.bindings.cuda;

import static dev.gatun.bindings.cuda.CudaDriver.check;

import dev.gatun.bindings.generated.cuda.cuda_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A queue of work on a device: what is submitted runs in order, after the call has returned. Safe
 * for use by many threads. Addresses are the device's.
 */
public final class CudaStream implements AutoCloseable {
  private final CudaContext context;
  private final MemorySegment handle;

  /** A new stream that does not wait for the default one. */
  public CudaStream(CudaContext context) {
    this.context = context;
    context.makeCurrent();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment stream = arena.allocate(ValueLayout.ADDRESS);
      check(cuda_h.cuStreamCreate(stream, cuda_h.CU_STREAM_NON_BLOCKING()), "cuStreamCreate");
      this.handle = stream.get(ValueLayout.ADDRESS, 0);
    }
  }

  /**
   * The address of new memory, usable by what this stream does later.
   *
   * @param bytes more than 0
   * @throws CudaException with {@link CudaException#isOutOfMemory} when there is not so much
   */
  public long allocate(long bytes) {
    context.makeCurrent();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(ValueLayout.JAVA_LONG);
      check(cuda_h.cuMemAllocAsync(address, bytes, handle), "cuMemAllocAsync(%d bytes)", bytes);
      return address.get(ValueLayout.JAVA_LONG, 0);
    }
  }

  /** Gives memory back once all that was submitted so far is done. */
  public void free(long address) {
    context.makeCurrent();
    check(cuda_h.cuMemFreeAsync(address, handle), "cuMemFreeAsync");
  }

  /** Copies native host memory to the device. The source may be used again on return. */
  public void copyToDevice(MemorySegment source, long target) {
    context.makeCurrent();
    check(
        cuda_h.cuMemcpyHtoDAsync_v2(target, source, source.byteSize(), handle),
        "cuMemcpyHtoDAsync(%d bytes)",
        source.byteSize());
  }

  /** Copies from the device to native host memory; there after {@link #synchronize}. */
  public void copyToHost(long source, MemorySegment target) {
    context.makeCurrent();
    check(
        cuda_h.cuMemcpyDtoHAsync_v2(target, source, target.byteSize(), handle),
        "cuMemcpyDtoHAsync(%d bytes)",
        target.byteSize());
  }

  /** Sets every byte of a range. */
  public void fill(long target, int value, long bytes) {
    context.makeCurrent();
    check(
        cuda_h.cuMemsetD8Async(target, (byte) value, bytes, handle),
        "cuMemsetD8Async(%d bytes)",
        bytes);
  }

  /**
   * Waits for all that was submitted.
   *
   * @throws CudaException when any of it failed
   */
  public void synchronize() {
    context.makeCurrent();
    check(cuda_h.cuStreamSynchronize(handle), "cuStreamSynchronize");
  }

  /**
   * Submits a kernel.
   *
   * @param grid blocks along x, y and z
   * @param threads of a block
   * @param sharedBytes of dynamic shared memory
   * @param arguments a pointer to each argument
   */
  public void launch(
      CudaFunction function, int[] grid, int threads, int sharedBytes, MemorySegment arguments) {
    context.makeCurrent();
    function.allowSharedMemory(sharedBytes);
    check(
        cuda_h.cuLaunchKernel(
            function.handle(),
            grid[0],
            grid[1],
            grid[2],
            threads,
            1,
            1,
            sharedBytes,
            handle,
            arguments,
            MemorySegment.NULL),
        "cuLaunchKernel(%s, grid %d x %d x %d, %d threads, %d bytes of shared memory)",
        function.name(),
        grid[0],
        grid[1],
        grid[2],
        threads,
        sharedBytes);
  }

  /**
   * Collects what is submitted from now on in place of doing it. Other streams go on, and modules
   * may be loaded.
   */
  public void beginCapture() {
    context.makeCurrent();
    check(
        cuda_h.cuStreamBeginCapture_v2(handle, cuda_h.CU_STREAM_CAPTURE_MODE_RELAXED()),
        "cuStreamBeginCapture");
  }

  /** Ends what {@link #beginCapture} began and drops what was collected. */
  public void abandonCapture() {
    context.makeCurrent();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pointer = arena.allocate(ValueLayout.ADDRESS);
      // A capture that a call has broken ends with an error and without a graph.
      int status = cuda_h.cuStreamEndCapture(handle, pointer);
      MemorySegment graph = pointer.get(ValueLayout.ADDRESS, 0);
      if (status == cuda_h.CUDA_SUCCESS() && graph.address() != 0) {
        check(cuda_h.cuGraphDestroy(graph), "cuGraphDestroy");
      }
    }
  }

  /** What was collected since {@link #beginCapture}, ready to be submitted as often as wanted. */
  public CudaGraph endCapture() {
    context.makeCurrent();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment pointer = arena.allocate(ValueLayout.ADDRESS);
      check(cuda_h.cuStreamEndCapture(handle, pointer), "cuStreamEndCapture");
      MemorySegment graph = pointer.get(ValueLayout.ADDRESS, 0);
      try {
        check(cuda_h.cuGraphInstantiateWithFlags(pointer, graph, 0), "cuGraphInstantiate");
        return new CudaGraph(context, pointer.get(ValueLayout.ADDRESS, 0));
      } finally {
        check(cuda_h.cuGraphDestroy(graph), "cuGraphDestroy");
      }
    }
  }

  /** Gives it back, once what was submitted is done. */
  @Override
  public void close() {
    context.makeCurrent();
    check(cuda_h.cuStreamDestroy_v2(handle), "cuStreamDestroy");
  }

  MemorySegment handle() {
    return handle;
  }
}
