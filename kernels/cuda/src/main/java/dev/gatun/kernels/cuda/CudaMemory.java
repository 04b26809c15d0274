package dev.gatun.kernels.cuda;

import dev.gatun.bindings.cuda.CudaContext;
import dev.gatun.bindings.cuda.CudaException;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.Memory;
import dev.gatun.kernels.api.memory.Operand;
import java.lang.foreign.MemorySegment;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A device's memory, from the driver's stream-ordered pool. Blocks are given back behind all work
 * that was submitted, so closing one while kernels use it is safe.
 */
final class CudaMemory implements Memory {
  /** The property with the bytes that the driver's pool keeps for later: 0, 512m, 8g. */
  static final String POOL_PROPERTY = "gatun.cuda.pool";

  private final CudaContext context;
  private final Streams streams;
  private final Staging staging;
  private final IndexChecks checks;
  private final AtomicLong allocated = new AtomicLong();
  // Of the main stream, 0 before the first call that uses them.
  private long counters;

  CudaMemory(CudaContext context, Streams streams) {
    this.context = context;
    this.streams = streams;
    this.staging = new Staging(context, streams.main());
    this.checks = new IndexChecks(context);
    context.keepPool(poolBytes(System.getProperty(POOL_PROPERTY)));
  }

  /**
   * The bytes of a number with an ending for KiB, MiB or GiB; all there are where none is given.
   */
  private static long poolBytes(String text) {
    if (text == null || text.isBlank()) {
      return Long.MAX_VALUE;
    }
    String digits = text.strip().toLowerCase(Locale.ROOT);
    int unit = "kmg".indexOf(digits.charAt(digits.length() - 1)) + 1;
    digits = unit == 0 ? digits : digits.substring(0, digits.length() - 1);
    if (!digits.matches("[0-9]{1,9}") && !(unit == 0 && digits.matches("[0-9]{1,18}"))) {
      throw new IllegalArgumentException(
          "-D%s=%s: expected bytes, such as 0, 512m or 8g".formatted(POOL_PROPERTY, text));
    }
    return Long.parseLong(digits) << 10 * unit;
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
    long size = Math.max(1, bytes);
    Recording recording = streams.recording();
    long address = recording == null ? allocateAddress(size) : recording.allocate(size);
    return new DeviceBuffer(this, recording, address, bytes);
  }

  /** Memory of its own from the pool, more than 0 bytes. */
  long allocateAddress(long bytes) {
    long address = fromPool(bytes);
    allocated.addAndGet(bytes);
    return address;
  }

  /**
   * Counters at 0 for the kernels that this thread submits: one block for its stream, one for each
   * recording, whose kernels run one after another. Each leaves them at 0.
   *
   * @param bytes the same in every call
   */
  synchronized long counters(long bytes) {
    Recording recording = streams.recording();
    if (recording != null) {
      return recording.counters(bytes);
    }
    if (counters == 0) {
      // Not a tensor's, so that it is not counted as one.
      long address = fromPool(bytes);
      try {
        streams.main().fill(address, 0, bytes);
      } catch (CudaException e) {
        streams.main().free(address);
        throw e;
      }
      counters = address;
    }
    return counters;
  }

  private long fromPool(long bytes) {
    long address = tryAllocate(bytes);
    if (address == 0) {
      // What was given back may be still in use by work that is under way.
      streams.main().synchronize();
      context.trimPool();
      address = tryAllocate(bytes);
    }
    if (address == 0) {
      long[] memory = context.memory();
      throw new OutOfMemoryError(
          ("allocate: no %d bytes on %s; %s, %d of %d bytes are free. Close what is not needed, use"
                  + " smaller batches or narrower weights, let other processes keep less (with"
                  + " -D%s=0 for those of Gatun), or choose another device with"
                  + " CUDA_VISIBLE_DEVICES")
              .formatted(bytes, device(), usage(), memory[0], memory[1], POOL_PROPERTY));
    }
    return address;
  }

  @Override
  public String usage() {
    CudaContext.PoolUse pool = context.poolUse();
    return "%d bytes are held by tensors, at most %d were; the pool has %d bytes, at most %d"
        .formatted(allocated.get(), pool.mostUsed(), pool.reserved(), pool.mostReserved());
  }

  @Override
  public long freeBytes() {
    // What the pool keeps is not free to others, but to this process.
    return context.memory()[0] + Math.max(0, context.poolUse().reserved() - allocated.get());
  }

  private long tryAllocate(long bytes) {
    try {
      return streams.main().allocate(bytes);
    } catch (CudaException e) {
      if (e.isOutOfMemory()) {
        return 0;
      }
      throw e;
    }
  }

  /** Gives memory back behind all work that was submitted. */
  void giveBack(long address, long bytes) {
    allocated.addAndGet(-bytes);
    try {
      streams.main().free(address);
    } catch (CudaException e) {
      // The memory of a lost device is gone by itself, and the call that lost it was told.
      if (!e.isDeviceLost()) {
        throw e;
      }
    }
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
      Recording recording = streams.recording();
      if (recording == null) {
        staging.write(source, address(target) + offset);
      } else {
        recording.write(source, target, offset);
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
      read(address(source) + offset, target);
    } finally {
      source.release();
    }
  }

  @Override
  public void fill(Buffer target, long offset, long bytes, byte value) {
    checkRange("fill", target, offset, bytes);
    target.acquire();
    try {
      Recording recording = streams.recording();
      if (recording != null) {
        recording.hold(target);
      }
      if (bytes > 0) {
        streams.current().fill(address(target) + offset, value, bytes);
      }
    } finally {
      target.release();
    }
  }

  /**
   * Copies from the device once all that was submitted is done.
   *
   * @throws IllegalArgumentException when that met an index out of bounds
   */
  void read(long address, MemorySegment target) {
    if (streams.recording() != null) {
      throw new IllegalStateException(
          "read: this thread is recording work, nothing of which is done; read after a replay");
    }
    staging.read(address, target);
    checks.raise();
  }

  /** Waits for all that was submitted, and for what was found wrong with its indices. */
  void await() {
    streams.main().synchronize();
    checks.raise();
  }

  /** Where kernels say what is wrong with indices. */
  IndexChecks checks() {
    return checks;
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

  /** Where an operand's first element lies, 0 for none. */
  static long address(Operand operand) {
    return operand == null ? 0 : address(operand.buffer()) + operand.byteOffset();
  }
}
