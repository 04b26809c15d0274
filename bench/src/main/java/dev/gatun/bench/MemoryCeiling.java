package dev.gatun.bench;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.HostBuffer;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * The least that any program must do in a {@link RowKernel}'s case, by the C library: copy what is
 * both read and written, then read, or fill, the rest. A thread does an equal part of each.
 */
final class MemoryCeiling implements Subject {
  private static final MethodHandle MEMCPY =
      handle(
          "memcpy",
          FunctionDescriptor.of(
              ValueLayout.ADDRESS,
              ValueLayout.ADDRESS,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_LONG));
  // Looks for a byte that is not there.
  private static final MethodHandle MEMCHR =
      handle(
          "memchr",
          FunctionDescriptor.of(
              ValueLayout.ADDRESS,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG));

  private static final MethodHandle MEMSET =
      handle(
          "memset",
          FunctionDescriptor.of(
              ValueLayout.ADDRESS,
              ValueLayout.ADDRESS,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG));

  private final int threads;
  private final ExecutorService workers;
  private final GatunTensors tensors = new GatunTensors(Device.cpu());

  MemoryCeiling(int threads) {
    this.threads = threads;
    this.workers = Executors.newFixedThreadPool(threads);
  }

  private static MethodHandle handle(String name, FunctionDescriptor descriptor) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(linker.defaultLookup().findOrThrow(name), descriptor);
  }

  @Override
  public Task task(String name) {
    tensors.close();
    KernelCase c = KernelCase.of(name);
    MemorySegment from = block(RowKernel.of(c).read(c));
    MemorySegment to = block(RowKernel.of(c).written(c));
    return new Task() {
      @Override
      public void run() throws InterruptedException, ExecutionException {
        List<Future<?>> parts = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
          int thread = t;
          parts.add(workers.submit(() -> part(from, to, thread)));
        }
        for (Future<?> part : parts) {
          part.get();
        }
      }

      @Override
      public float[] result() {
        return new float[0];
      }
    };
  }

  private void part(MemorySegment from, MemorySegment to, int thread) {
    long copied = Math.min(from.byteSize(), to.byteSize());
    MemorySegment source = part(from, 0, copied, thread);
    MemorySegment target = part(to, 0, copied, thread);
    MemorySegment read = part(from, copied, from.byteSize(), thread);
    MemorySegment filled = part(to, copied, to.byteSize(), thread);
    try {
      MemorySegment _ = (MemorySegment) MEMCPY.invokeExact(target, source, source.byteSize());
      MemorySegment _ = (MemorySegment) MEMCHR.invokeExact(read, 0, read.byteSize());
      MemorySegment _ = (MemorySegment) MEMSET.invokeExact(filled, 1, filled.byteSize());
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private MemorySegment part(MemorySegment block, long begin, long end, int thread) {
    long size = (end - begin) / threads;
    return block.asSlice(begin + thread * size, size);
  }

  private MemorySegment block(long bytes) {
    HostBuffer buffer =
        (HostBuffer)
            tensors.hold(Tensor.empty(tensors.device(), DType.U8, bytes)).operand().buffer();
    return buffer.segment().fill((byte) 1);
  }

  @Override
  public String version() {
    return "memory by memcpy, memchr and memset";
  }

  @Override
  public void close() {
    workers.shutdown();
    tensors.close();
  }
}
