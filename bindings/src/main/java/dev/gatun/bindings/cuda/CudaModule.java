package dev.gatun.bindings.cuda;

import static dev.gatun.bindings.cuda.CudaDriver.check;

import dev.gatun.bindings.generated.cuda.cuda_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** An image of kernels, loaded for the life of the process. */
public final class CudaModule {
  private final CudaContext context;
  private final String name;
  private final MemorySegment handle;

  /**
   * Loads a fat binary, of which the driver takes what the device runs.
   *
   * @param name of the image, for messages
   * @throws CudaException when nothing in it fits the device
   */
  public CudaModule(CudaContext context, String name, byte[] image) {
    this.context = context;
    this.name = name;
    context.makeCurrent();
    try (Arena arena = Arena.ofConfined()) {
      // An image of text ends with a zero.
      MemorySegment bytes = arena.allocate(image.length + 1L, 16);
      MemorySegment.copy(image, 0, bytes, ValueLayout.JAVA_BYTE, 0, image.length);
      MemorySegment module = arena.allocate(ValueLayout.ADDRESS);
      check(
          cuda_h.cuModuleLoadDataEx(module, bytes, 0, MemorySegment.NULL, MemorySegment.NULL),
          "cuModuleLoadDataEx(%s, compute capability %d)",
          name,
          context.computeCapability());
      this.handle = module.get(ValueLayout.ADDRESS, 0);
    }
  }

  /**
   * A kernel.
   *
   * @throws CudaException when there is none of that name
   */
  public CudaFunction function(String kernel) {
    context.makeCurrent();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment function = arena.allocate(ValueLayout.ADDRESS);
      check(
          cuda_h.cuModuleGetFunction(function, handle, arena.allocateFrom(kernel)),
          "cuModuleGetFunction(%s in %s)",
          kernel,
          name);
      return new CudaFunction(kernel, function.get(ValueLayout.ADDRESS, 0));
    }
  }
}
