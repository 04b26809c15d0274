package dev.gatun.bench;

import dev.gatun.kernels.api.memory.DType;
import dev.gatun.kernels.api.memory.HostBuffer;
import dev.gatun.tensor.Device;
import dev.gatun.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * The least that any program must do in a {@link RowKernel}'s case: reads arrays and writes arrays,
 * as many, as long and as much in place as the kernel does, with next to no arithmetic. A library
 * that is compiled for this very processor does it.
 */
final class MemoryCeiling implements Subject {
  private static final Path SOURCE = Path.of("bench/src/main/cpp/streams.cpp");
  private static final Path LIBRARY = Path.of("bench/target/streams.so");
  private static final int TRIALS = 3;

  private final int threads;
  private final ExecutorService workers;
  private final GatunTensors tensors = new GatunTensors(Device.cpu());
  private final Arena arena = Arena.ofShared();
  private final MethodHandle streams;

  MemoryCeiling(int threads) throws IOException, InterruptedException {
    this.threads = threads;
    this.workers = Executors.newFixedThreadPool(threads);
    Files.createDirectories(LIBRARY.getParent());
    Ceilings.run(
        "g++",
        "-O3",
        "-march=native",
        "-std=c++17",
        "-shared",
        "-fPIC",
        "-o",
        "" + LIBRARY,
        "" + SOURCE);
    this.streams =
        Linker.nativeLinker()
            .downcallHandle(
                SymbolLookup.libraryLookup(LIBRARY.toAbsolutePath(), arena).findOrThrow("streams"),
                FunctionDescriptor.ofVoid(
                    ValueLayout.ADDRESS,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.ADDRESS,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_LONG,
                    ValueLayout.JAVA_INT,
                    ValueLayout.ADDRESS));
  }

  /** Arrays of a side, each of so many bytes. */
  private record Arrays(MemorySegment list, int count, long bytes) {}

  @Override
  public Task task(String name) throws InterruptedException, ExecutionException {
    tensors.close();
    KernelCase c = KernelCase.of(name);
    RowKernel kernel = RowKernel.of(c);
    List<MemorySegment> read = blocks(kernel.inputs(c), kernel.inputBytes(c));
    List<MemorySegment> written =
        kernel.isInPlace()
            ? read.subList(0, kernel.outputs(c))
            : blocks(kernel.outputs(c), kernel.outputBytes(c));
    Arrays from = arrays(read, kernel.inputBytes(c));
    Arrays to = arrays(written, kernel.outputBytes(c));
    boolean streaming = shortest(from, to, true) < shortest(from, to, false);
    return new Task() {
      @Override
      public void run() throws InterruptedException, ExecutionException {
        pass(from, to, streaming);
      }

      @Override
      public float[] result() {
        return new float[0];
      }
    };
  }

  /** The time of a pass whose stores go past the caches, or through them. */
  private double shortest(Arrays from, Arrays to, boolean streaming)
      throws InterruptedException, ExecutionException {
    double least = Double.POSITIVE_INFINITY;
    for (int i = 0; i < TRIALS; i++) {
      long start = System.nanoTime();
      pass(from, to, streaming);
      least = Math.min(least, System.nanoTime() - start);
    }
    return least;
  }

  private void pass(Arrays from, Arrays to, boolean streaming)
      throws InterruptedException, ExecutionException {
    try (Arena own = Arena.ofShared()) {
      MemorySegment next = own.allocate(ValueLayout.JAVA_LONG);
      List<Future<?>> parts = new ArrayList<>();
      for (int t = 0; t < threads; t++) {
        parts.add(workers.submit(() -> part(from, to, streaming, next)));
      }
      for (Future<?> part : parts) {
        part.get();
      }
    }
  }

  private void part(Arrays from, Arrays to, boolean streaming, MemorySegment next) {
    long narrow = Math.min(from.bytes(), to.bytes());
    try {
      streams.invokeExact(
          from.list(),
          (long) from.count(),
          from.bytes() / narrow,
          to.list(),
          (long) to.count(),
          to.bytes() / narrow,
          narrow,
          streaming ? 1 : 0,
          next);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  private Arrays arrays(List<MemorySegment> blocks, long bytes) {
    MemorySegment list = arena.allocate(ValueLayout.ADDRESS, blocks.size());
    for (int i = 0; i < blocks.size(); i++) {
      list.setAtIndex(ValueLayout.ADDRESS, i, blocks.get(i));
    }
    return new Arrays(list, blocks.size(), bytes);
  }

  private List<MemorySegment> blocks(int count, long bytes) {
    List<MemorySegment> blocks = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      HostBuffer buffer =
          (HostBuffer)
              tensors.hold(Tensor.empty(tensors.device(), DType.U8, bytes)).operand().buffer();
      blocks.add(buffer.segment().fill((byte) 1));
    }
    return blocks;
  }

  @Override
  public String version() {
    return "memory by reading and writing as many arrays";
  }

  @Override
  public void close() {
    workers.shutdown();
    tensors.close();
    arena.close();
  }
}
