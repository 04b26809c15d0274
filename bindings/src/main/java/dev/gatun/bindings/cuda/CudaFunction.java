package dev.gatun.bindings.cuda;

import static dev.gatun.bindings.cuda.CudaDriver.check;

import dev.gatun.bindings.generated.cuda.cuda_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/** A kernel of a module. */
public final class CudaFunction {
  /** What a kernel may have without asking. */
  private static final int SHARED_BYTES = 48 << 10;

  private final String name;
  private final MemorySegment handle;
  private volatile int sharedBytes = SHARED_BYTES;

  CudaFunction(String name, MemorySegment handle) {
    this.name = name;
    this.handle = handle;
  }

  public String name() {
    return name;
  }

  /** The sizes of the arguments in bytes, as the image says. */
  public List<Integer> argumentSizes() {
    List<Integer> sizes = new ArrayList<>();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment numbers = arena.allocate(ValueLayout.JAVA_LONG, 2);
      // The first place without an argument is an error, and the end.
      while (cuda_h.cuFuncGetParamInfo(handle, sizes.size(), numbers, numbers.asSlice(8)) == 0) {
        sizes.add((int) numbers.getAtIndex(ValueLayout.JAVA_LONG, 1));
      }
    }
    return sizes;
  }

  /** What the driver took of the image for the device. */
  public String code() {
    int binary = attribute(cuda_h.CU_FUNC_ATTRIBUTE_BINARY_VERSION());
    int ptx = attribute(cuda_h.CU_FUNC_ATTRIBUTE_PTX_VERSION());
    // Code of the image was compiled from PTX of its own architecture.
    return ptx < binary
        ? "PTX of compute_%d, compiled by the driver for sm_%d".formatted(ptx, binary)
        : "code for sm_%d".formatted(binary);
  }

  private int attribute(int which) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(ValueLayout.JAVA_INT);
      check(
          cuda_h.cuFuncGetAttribute(value, which, handle),
          "cuFuncGetAttribute(%d, %s)",
          which,
          name);
      return value.get(ValueLayout.JAVA_INT, 0);
    }
  }

  MemorySegment handle() {
    return handle;
  }

  /** Asks for more shared memory than every kernel has, the first time that a launch needs it. */
  void allowSharedMemory(int bytes) {
    if (bytes > sharedBytes) {
      check(
          cuda_h.cuFuncSetAttribute(
              handle, cuda_h.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES(), bytes),
          "cuFuncSetAttribute(%s, %d bytes of shared memory)",
          name,
          bytes);
      sharedBytes = bytes;
    }
  }
}
