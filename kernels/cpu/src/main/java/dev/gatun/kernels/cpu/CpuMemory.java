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
    CpuReplay recorded = CpuReplay.mine();
    if (recorded != null) {
      return recorded.allocate(bytes);
    }
    MemorySegment block = take(sizeClass(bytes), bytes);
    return new HostBuffer(this, block.asSlice(0, bytes), segment -> giveBack(block, bytes));
  }

  /** A block of a size class, of which so many bytes count as allocated. */
  MemorySegment take(long size, long bytes) {
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
    return block;
  }

  @Override
  public Buffer adopt(MemorySegment source) {
    if (CpuReplay.mine() == null) {
      return new HostBuffer(this, source, segment -> {});
    }
    // A replay may come when the source is gone.
    Buffer buffer = allocate(source.byteSize());
    write(source, buffer, 0);
    return buffer;
  }

  @Override
  public void write(MemorySegment source, Buffer target, long offset) {
    target.acquire();
    try {
      CpuReplay recorded = CpuReplay.mine();
      if (recorded == null) {
        MemorySegment.copy(source, 0, segment(target), offset, source.byteSize());
      } else {
        recorded.write(source, target, offset);
      }
    } finally {
      target.release();
    }
  }

  @Override
  public void read(Buffer source, long offset, MemorySegment target) {
    if (CpuReplay.mine() != null) {
      throw new IllegalStateException(
          "read: this thread is recording work, nothing of which is done; read after a replay");
    }
    source.acquire();
    try {
      MemorySegment.copy(segment(source), offset, target, 0, target.byteSize());
    } finally {
      source.release();
    }
  }

  @Override
  public void fill(Buffer target, long offset, long bytes, byte value) {
    target.acquire();
    try {
      MemorySegment part = segment(target).asSlice(offset, bytes);
      CpuReplay recorded = CpuReplay.mine();
      if (recorded == null) {
        part.fill(value);
      } else {
        recorded.fill(target, part, value);
      }
    } finally {
      target.release();
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

  /** Takes back what {@link #take} gave. */
  void giveBack(MemorySegment block, long bytes) {
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
  static long sizeClass(long bytes) {
    if (bytes <= 256) {
      return Math.max(64, (bytes + 63) / 64 * 64);
    }
    long step = Math.max(64, Long.highestOneBit(bytes - 1) / 4);
    long size = Math.ceilDiv(bytes, step) * step;
    return size < bytes ? bytes : size;
  }
}
