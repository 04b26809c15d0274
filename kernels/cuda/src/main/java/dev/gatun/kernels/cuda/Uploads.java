package dev.gatun.kernels.cuda;

import dev.gatun.kernels.api.Buffer;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Small arrays of the host that a kernel reads. */
final class Uploads {
  private final Launcher launcher;
  private final CudaMemory memory;

  Uploads(Launcher launcher, CudaMemory memory) {
    this.launcher = launcher;
    this.memory = memory;
  }

  /** The numbers on the device, to be closed once the kernel is submitted; null of null. */
  Buffer ints(int[] values) {
    if (values == null) {
      return null;
    }
    Buffer buffer = memory.allocate(4L * values.length);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment source = arena.allocateFrom(ValueLayout.JAVA_INT, values);
      // From memory that is not pinned the driver takes the bytes before it returns.
      launcher.stream().copyToDevice(source, CudaMemory.address(buffer));
      return buffer;
    } catch (RuntimeException | Error e) {
      buffer.close();
      throw e;
    }
  }
}
