package dev.gatun.bindings.cuda;

import static dev.gatun.bindings.cuda.CudaDriver.check;

import dev.gatun.bindings.generated.cuda.cuda_h;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * The primary context of a device. A context is current per thread of the system, and a virtual
 * thread may change the one that carries it, so every wrapper makes it current just before its
 * calls.
 */
public final class CudaContext {
  private final int ordinal;
  private final int device;
  private final MemorySegment handle;

  private CudaContext(int ordinal, int device, MemorySegment handle) {
    this.ordinal = ordinal;
    this.device = device;
    this.handle = handle;
  }

  /**
   * The context of a device, kept for the life of the process.
   *
   * @throws CudaException when the driver has no such device or cannot use it
   */
  public static CudaContext retain(int ordinal) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment device = arena.allocate(ValueLayout.JAVA_INT);
      check(cuda_h.cuDeviceGet(device, ordinal), "cuDeviceGet(" + ordinal + ")");
      int number = device.get(ValueLayout.JAVA_INT, 0);
      MemorySegment context = arena.allocate(ValueLayout.ADDRESS);
      check(
          cuda_h.cuDevicePrimaryCtxRetain(context, number),
          "cuDevicePrimaryCtxRetain(" + ordinal + ")");
      return new CudaContext(ordinal, number, context.get(ValueLayout.ADDRESS, 0));
    }
  }

  /** The device's number, as the driver counts. */
  public int ordinal() {
    return ordinal;
  }

  void makeCurrent() {
    check(cuda_h.cuCtxSetCurrent(handle), "cuCtxSetCurrent(" + ordinal + ")");
  }

  /** The compute capability times ten. */
  public int computeCapability() {
    return 10 * attribute(cuda_h.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR())
        + attribute(cuda_h.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR());
  }

  /** The number of streaming multiprocessors. */
  public int multiprocessors() {
    return attribute(cuda_h.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT());
  }

  /** The shared memory in bytes that a block can have when its kernel opts in. */
  public int sharedMemoryLimit() {
    return attribute(cuda_h.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN());
  }

  private int attribute(int which) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(ValueLayout.JAVA_INT);
      check(
          cuda_h.cuDeviceGetAttribute(value, which, device),
          "cuDeviceGetAttribute(" + which + ", " + ordinal + ")");
      return value.get(ValueLayout.JAVA_INT, 0);
    }
  }

  /** Bytes of the device's memory that nobody holds, and all of them. */
  public long[] memory() {
    makeCurrent();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment bytes = arena.allocate(ValueLayout.JAVA_LONG, 2);
      check(cuda_h.cuMemGetInfo_v2(bytes, bytes.asSlice(8)), "cuMemGetInfo(" + ordinal + ")");
      return bytes.toArray(ValueLayout.JAVA_LONG);
    }
  }

  /**
   * Sets how many bytes the pool of stream-ordered memory keeps when the host waits for the device,
   * rather than give them back to the driver.
   */
  public void keepPool(long bytes) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment threshold = arena.allocateFrom(ValueLayout.JAVA_LONG, bytes);
      check(
          cuda_h.cuMemPoolSetAttribute(
              pool(arena), cuda_h.CU_MEMPOOL_ATTR_RELEASE_THRESHOLD(), threshold),
          "cuMemPoolSetAttribute(" + ordinal + ")");
    }
  }

  /** Gives what the pool keeps and nobody uses back to the driver. */
  public void trimPool() {
    makeCurrent();
    try (Arena arena = Arena.ofConfined()) {
      check(cuda_h.cuMemPoolTrimTo(pool(arena), 0), "cuMemPoolTrimTo(" + ordinal + ")");
    }
  }

  /**
   * Bytes of the pool of stream-ordered memory.
   *
   * @param reserved that it has from the driver
   * @param mostReserved that it had at a time
   * @param used that are allocated
   * @param mostUsed that were at a time
   */
  public record PoolUse(long reserved, long mostReserved, long used, long mostUsed) {}

  /** What the pool has. */
  public PoolUse poolUse() {
    return new PoolUse(
        poolAttribute(cuda_h.CU_MEMPOOL_ATTR_RESERVED_MEM_CURRENT()),
        poolAttribute(cuda_h.CU_MEMPOOL_ATTR_RESERVED_MEM_HIGH()),
        poolAttribute(cuda_h.CU_MEMPOOL_ATTR_USED_MEM_CURRENT()),
        poolAttribute(cuda_h.CU_MEMPOOL_ATTR_USED_MEM_HIGH()));
  }

  private long poolAttribute(int which) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(ValueLayout.JAVA_LONG);
      check(
          cuda_h.cuMemPoolGetAttribute(pool(arena), which, value),
          "cuMemPoolGetAttribute(%d, %d)",
          which,
          ordinal);
      return value.get(ValueLayout.JAVA_LONG, 0);
    }
  }

  private MemorySegment pool(Arena arena) {
    MemorySegment pool = arena.allocate(ValueLayout.ADDRESS);
    check(
        cuda_h.cuDeviceGetDefaultMemPool(pool, device),
        "cuDeviceGetDefaultMemPool(" + ordinal + ")");
    return pool.get(ValueLayout.ADDRESS, 0);
  }
}
