package dev.gatun.test.emulator;

import dev.gatun.bindings.cuda.CudaContext;
import dev.gatun.bindings.cuda.CudaModule;
import dev.gatun.bindings.cuda.CudaStream;
import dev.gatun.bindings.cuda.CudaTensorMap;
import dev.gatun.kernels.api.device.Backend;
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
  private static final int HOPPER_SHARED_BYTES = 64 << 10;
  private static final int HEADER_BYTES = 64;

  private final CudaStream stream;
  private final CudaModule module;
  private final Arena arena = Arena.ofConfined();

  private final boolean hopper;

  /**
   * @param images the folder of the probes' images
   * @param hopper whether to run those of compute capability 9.0, on such a device
   */
  ProbeRunner(Path images, boolean hopper) throws IOException {
    this.hopper = hopper;
    Backend backend = hopper ? Emulator.openHopper() : Emulator.open();
    CudaContext context =
        CudaContext.retain(Integer.parseInt(backend.memory().device().substring("cuda:".length())));
    stream = new CudaStream(context);
    Path image = images.resolve(hopper ? "hopper_sm90a.fatbin" : "primitives.fatbin");
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
      MemorySegment pointers = arena.allocate(ValueLayout.ADDRESS, 3);
      int count = 0;
      if (probe.tensor() != null) {
        pointers.setAtIndex(ValueLayout.ADDRESS, count++, map(probe.tensor(), from, to));
      }
      pointers.setAtIndex(ValueLayout.ADDRESS, count++, values);
      pointers.setAtIndex(ValueLayout.ADDRESS, count, values.asSlice(8));
      stream.launch(
          module.function(probe.kernel()),
          new int[] {1, 1, 1},
          probe.threads(),
          hopper ? HOPPER_SHARED_BYTES : SHARED_BYTES,
          pointers);
      stream.copyToHost(to, output);
      stream.synchronize();
      return output.toArray(ValueLayout.JAVA_INT);
    } finally {
      stream.free(from);
      stream.free(to);
    }
  }

  private MemorySegment map(Probe.Tensor t, long from, long to) {
    return CudaTensorMap.encode(
        arena,
        t.element(),
        t.isOutput() ? to : from + HEADER_BYTES,
        t.sizes(),
        t.strides(),
        t.box(),
        t.swizzle());
  }

  @Override
  public void close() {
    stream.synchronize();
    arena.close();
  }
}
