package dev.gatun.kernels.cuda;

import dev.gatun.bindings.cuda.CudaContext;
import dev.gatun.bindings.cuda.CudaException;
import dev.gatun.bindings.cuda.CudaStream;
import dev.gatun.kernels.api.Buffer;
import dev.gatun.kernels.api.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A device's memory, from the driver's stream-ordered pool. Blocks are given back behind all work
 * that was submitted, so closing one while kernels use it is safe.
 */
final class CudaMemory implements Memory {
  private static final long STAGE = 4L << 20;

  private final CudaContext context;
  private final CudaStream stream;
  private final AtomicLong allocated = new AtomicLong();

  CudaMemory(CudaContext context, CudaStream stream) {
    this.context = context;
    this.stream = stream;
    context.keepPool();
  }

  @Override
  public String device() {
    return "cuda:" + context.ordinal();
  }

  @Override
  public Buffer allocate(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException(
          "allocate: %d bytes, must not be negative".formatted(bytes));
    }
    // The driver has no empty blocks.
    long address = tryAllocate(Math.max(1, bytes));
    if (address == 0) {
      // What was given back may be still in use by work that is under way.
      stream.synchronize();
      context.trimPool();
      address = tryAllocate(Math.max(1, bytes));
    }
    if (address == 0) {
      long[] memory = context.memory();
      throw new OutOfMemoryError(
          ("allocate: no %d bytes on %s; %d bytes are held by tensors, %d of %d bytes are free."
                  + " Close what is not needed, use smaller batches or narrower weights, or choose"
                  + " another device with CUDA_VISIBLE_DEVICES")
              .formatted(bytes, device(), allocated.get(), memory[0], memory[1]));
    }
    allocated.addAndGet(bytes);
    return new DeviceBuffer(this, address, bytes);
  }

  private long tryAllocate(long bytes) {
    try {
      return stream.allocate(bytes);
    } catch (CudaException e) {
      if (e.isOutOfMemory()) {
        return 0;
      }
      throw e;
    }
  }

  void giveBack(long address, long bytes) {
    allocated.addAndGet(-bytes);
    stream.free(address);
  }

  @Override
  public Buffer adopt(MemorySegment source) {
    Buffer buffer = allocate(source.byteSize());
    try {
      write(source, buffer, 0);
      return buffer;
    } catch (RuntimeException | Error e) {
      buffer.close();
      throw e;
    }
  }

  @Override
  public void write(MemorySegment source, Buffer target, long offset) {
    checkRange("write", target, offset, source.byteSize());
    target.acquire();
    try {
      long address = address(target) + offset;
      if (source.isNative()) {
        stream.copyToDevice(source, address);
        stream.synchronize();
        return;
      }
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment stage = arena.allocate(Math.min(STAGE, Math.max(1, source.byteSize())), 64);
        for (long done = 0; done < source.byteSize(); done += STAGE) {
          long part = Math.min(STAGE, source.byteSize() - done);
          MemorySegment.copy(source, done, stage, 0, part);
          stream.copyToDevice(stage.asSlice(0, part), address + done);
          stream.synchronize();
        }
      }
    } finally {
      target.release();
    }
  }

  @Override
  public void read(Buffer source, long offset, MemorySegment target) {
    checkRange("read", source, offset, target.byteSize());
    source.acquire();
    try {
      long address = address(source) + offset;
      if (target.isNative()) {
        stream.copyToHost(address, target);
        stream.synchronize();
        return;
      }
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment stage = arena.allocate(Math.min(STAGE, Math.max(1, target.byteSize())), 64);
        for (long done = 0; done < target.byteSize(); done += STAGE) {
          long part = Math.min(STAGE, target.byteSize() - done);
          stream.copyToHost(address + done, stage.asSlice(0, part));
          stream.synchronize();
          MemorySegment.copy(stage, 0, target, done, part);
        }
      }
    } finally {
      source.release();
    }
  }

  private void checkRange(String what, Buffer buffer, long offset, long bytes) {
    if (buffer.memory() != this) {
      throw new IllegalArgumentException(
          "%s: a buffer on %s, expected one on %s"
              .formatted(what, buffer.memory().device(), device()));
    }
    if (offset < 0 || bytes > buffer.byteSize() - offset) {
      throw new IndexOutOfBoundsException(
          "%s: %d bytes at byte %d of a buffer of %d bytes"
              .formatted(what, bytes, offset, buffer.byteSize()));
    }
  }

  @Override
  public long allocatedBytes() {
    return allocated.get();
  }

  /** Where a buffer of a device begins. */
  static long address(Buffer buffer) {
    return ((DeviceBuffer) buffer).address();
  }
}
