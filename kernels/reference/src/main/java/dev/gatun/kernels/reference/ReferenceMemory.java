package dev.gatun.kernels.reference;

import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.HostMemory;
import dev.gatun.kernels.api.memory.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicLong;

/** Host memory that the garbage collector gives back. */
final class ReferenceMemory implements Memory {
  private static final long ALIGNMENT = 64;

  private final AtomicLong allocated = new AtomicLong();
  private final boolean doubles;

  /**
   * @param doubles whether to keep F32s as doubles too
   */
  ReferenceMemory(boolean doubles) {
    this.doubles = doubles;
  }

  @Override
  public String device() {
    return "cpu";
  }

  @Override
  public Buffer allocate(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException(
          "allocate: %d bytes, must not be negative".formatted(bytes));
    }
    MemorySegment segment;
    MemorySegment wide;
    try {
      segment = Arena.ofAuto().allocate(bytes, ALIGNMENT);
      wide = doubles ? Arena.ofAuto().allocate(2 * bytes, ALIGNMENT) : null;
    } catch (OutOfMemoryError | IllegalArgumentException e) {
      OutOfMemoryError error =
          new OutOfMemoryError(
              "allocate: no %d bytes of native memory; %d bytes are held by tensors. Raise"
                      .formatted(bytes, allocated.get())
                  + " -XX:MaxDirectMemorySize, close what is not needed, or use smaller batches");
      error.initCause(e);
      throw error;
    }
    allocated.addAndGet(bytes);
    return new ReferenceBuffer(this, segment, wide, () -> allocated.addAndGet(-bytes));
  }

  @Override
  public boolean adoptsInPlace() {
    return !doubles;
  }

  @Override
  public Buffer adopt(MemorySegment source) {
    if (!doubles) {
      return new ReferenceBuffer(this, source, null, () -> {});
    }
    Buffer copy = allocate(source.byteSize());
    write(source, copy, 0);
    return copy;
  }

  @Override
  public long freeBytes() {
    return HostMemory.freeBytes();
  }

  @Override
  public void write(MemorySegment source, Buffer target, long offset) {
    target.acquire();
    try {
      MemorySegment.copy(source, 0, View.segment(target), offset, source.byteSize());
      ((ReferenceBuffer) target).widen(offset, source.byteSize());
    } finally {
      target.release();
    }
  }

  @Override
  public void read(Buffer source, long offset, MemorySegment target) {
    source.acquire();
    try {
      MemorySegment.copy(View.segment(source), offset, target, 0, target.byteSize());
    } finally {
      source.release();
    }
  }

  @Override
  public void fill(Buffer target, long offset, long bytes, byte value) {
    target.acquire();
    try {
      View.segment(target).asSlice(offset, bytes).fill(value);
      ((ReferenceBuffer) target).widen(offset, bytes);
    } finally {
      target.release();
    }
  }

  @Override
  public long allocatedBytes() {
    return allocated.get();
  }
}
