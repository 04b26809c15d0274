package dev.gatun.test.emulator;

import dev.gatun.bindings.cuda.CudaContext;
import dev.gatun.bindings.cuda.CudaModule;
import dev.gatun.bindings.cuda.CudaStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/** Runs probes on the device under test. */
final class ProbeRunner implements AutoCloseable {
  private static final int SHARED_BYTES = 1024;

  private final CudaStream stream;
  private final CudaModule module;
  private final Arena arena = Arena.ofConfined();

  /**
   * @param images the folder with {@code primitives.fatbin}
   */
  ProbeRunner(Path images) throws IOException {
    Emulator.open();
    CudaContext context = CudaContext.retain(0);
    stream = new CudaStream(context);
    Path image = images.resolve("primitives.fatbin");
    module = new CudaModule(context, image.getFileName().toString(), Files.readAllBytes(image));
  }

  /** The words that a probe's kernel leaves. */
  int[] run(Probe probe) {
    MemorySegment input = arena.allocateFrom(ValueLayout.JAVA_INT, probe.input());
    int[] ones = new int[probe.expected().length()];
    Arrays.fill(ones, -1);
    MemorySegment output = arena.allocateFrom(ValueLayout.JAVA_INT, ones);
    long from = stream.allocate(input.byteSize());
    long to = stream.allocate(output.byteSize());
    try {
      stream.copyToDevice(input, from);
      stream.copyToDevice(output, to);
      MemorySegment values = arena.allocateFrom(ValueLayout.JAVA_LONG, from, to);
      MemorySegment pointers = arena.allocate(ValueLayout.ADDRESS, 2);
      pointers.setAtIndex(ValueLayout.ADDRESS, 0, values);
      pointers.setAtIndex(ValueLayout.ADDRESS, 1, values.asSlice(8));
      stream.launch(
          module.function(probe.kernel()),
          new int[] {1, 1, 1},
          probe.threads(),
          SHARED_BYTES,
          pointers);
      stream.copyToHost(to, output);
      stream.synchronize();
      return output.toArray(ValueLayout.JAVA_INT);
    } finally {
      stream.free(from);
      stream.free(to);
    }
  }

  @Override
  public void close() {
    stream.synchronize();
    arena.close();
  }
}
