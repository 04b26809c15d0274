package dev.gatun.kernels.cpu;

import dev.gatun.bindings.cpu.CpuLibrary;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.HostBuffer;
import dev.gatun.kernels.api.memory.Memory;
import java.lang.foreign.MemorySegment;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Host memory in blocks of 64-byte-aligned size classes. Blocks that are given back are kept for
 * the next request of their class, up to {@value #KEPT_BYTES} bytes in all.
 */
final class CpuMemory implements Memory {
  private static final long KEPT_BYTES = 256L << 20;

  private final AtomicLong allocated = new AtomicLong();
  private final AtomicLong kept = new AtomicLong();
  private final ConcurrentHashMap<Long, Queue<MemorySegment>> free = new ConcurrentHashMap<>();

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
    long size = sizeClass(bytes);
    Queue<MemorySegment> queue = free.get(size);
    MemorySegment block = queue == null ? null : queue.poll();
    if (block != null) {
      kept.addAndGet(-size);
    } else {
      block = CpuLibrary.allocate(size);
      if (block == null) {
        releaseKept();
        block = CpuLibrary.allocate(size);
      }
      if (block == null) {
        throw new OutOfMemoryError(
            "allocate: no %d bytes of native memory; %d bytes are held by tensors. Close what is not"
                    .formatted(bytes, allocated.get())
                + " needed, use smaller batches, or lower -Xmx to leave more to native memory");
      }
    }
    allocated.addAndGet(bytes);
    MemorySegment whole = block;
    return new HostBuffer(this, block.asSlice(0, bytes), segment -> giveBack(whole, bytes));
  }

  @Override
  public Buffer adopt(MemorySegment source) {
    return new HostBuffer(this, source, segment -> {});
  }

  @Override
  public void write(MemorySegment source, Buffer target, long offset) {
    target.acquire();
    try {
      MemorySegment.copy(source, 0, segment(target), offset, source.byteSize());
    } finally {
      target.release();
    }
  }

  @Override
  public void read(Buffer source, long offset, MemorySegment target) {
    source.acquire();
    try {
      MemorySegment.copy(segment(source), offset, target, 0, target.byteSize());
    } finally {
      source.release();
    }
  }

  @Override
  public long allocatedBytes() {
    return allocated.get();
  }

  /** The memory of a buffer of this backend. */
  static MemorySegment segment(Buffer buffer) {
    return ((HostBuffer) buffer).segment();
  }

  private void giveBack(MemorySegment block, long bytes) {
    allocated.addAndGet(-bytes);
    long size = block.byteSize();
    if (kept.addAndGet(size) <= KEPT_BYTES) {
      free.computeIfAbsent(size, s -> new ConcurrentLinkedQueue<>()).add(block);
    } else {
      kept.addAndGet(-size);
      CpuLibrary.free(block);
    }
  }

  private void releaseKept() {
    free.forEach(
        (size, queue) -> {
          for (MemorySegment block = queue.poll(); block != null; block = queue.poll()) {
            kept.addAndGet(-size);
            CpuLibrary.free(block);
          }
        });
  }

  /** The next of four sizes to each power of two, so that at most a fifth of a block is unused. */
  private static long sizeClass(long bytes) {
    if (bytes <= 256) {
      return Math.max(64, (bytes + 63) / 64 * 64);
    }
    long step = Math.max(64, Long.highestOneBit(bytes - 1) / 4);
    long size = Math.ceilDiv(bytes, step) * step;
    return size < bytes ? bytes : size;
  }
}
