package dev.gatun.kernels.cuda;

import dev.gatun.kernels.api.memory.Buffer;
import java.lang.foreign.MemorySegment;

/** Small arrays of the host that a kernel reads. */
final class Uploads {
  private final CudaMemory memory;

  Uploads(CudaMemory memory) {
    this.memory = memory;
  }

  /** The numbers on the device, to be closed once the kernel is submitted; null of null. */
  Buffer ints(int[] values) {
    if (values == null) {
      return null;
    }
    Buffer buffer = memory.allocate(4L * values.length);
    try {
      memory.write(MemorySegment.ofArray(values), buffer, 0);
      return buffer;
    } catch (RuntimeException | Error e) {
      buffer.close();
      throw e;
    }
  }
}
