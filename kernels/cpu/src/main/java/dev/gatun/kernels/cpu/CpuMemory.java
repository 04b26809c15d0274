package dev.gatun.kernels.cpu;

import dev.gatun.bindings.cpu.CpuIndexing;
import dev.gatun.bindings.cpu.CpuLibrary;
import dev.gatun.kernels.api.memory.Buffer;
import dev.gatun.kernels.api.memory.HostBuffer;
import dev.gatun.kernels.api.memory.HostMemory;
import dev.gatun.kernels.api.memory.Memory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;

/**
 * Host memory in blocks of 64-byte-aligned size classes. Blocks that are given back are kept for
 * the next request of their class, up to {@value #KEPT_BYTES} bytes in all; while work {@link
 * #repeat repeats}, up to a quarter above what was in use at a time.
 */
final class CpuMemory implements Memory {
  private static final long KEPT_BYTES = 256L << 20;

  /** From here on a look at what is free costs little beside the block. */
  private static final long LARGE = 64L << 20;

  /** From here on zeros are written by all threads: the memory is faster than one. */
  private static final long MANY = 1L << 20;

  private static final MemorySegment ZERO = Arena.global().allocate(Long.BYTES, Long.BYTES);

  private static final int CLASSES = place(Long.MAX_VALUE) + 1;

  private final AtomicLong allocated = new AtomicLong();
  private final AtomicLong kept = new AtomicLong();
  private final AtomicInteger repeated = new AtomicInteger();
  // The most bytes of blocks in use at a time since work began to repeat.
  private final AtomicLong most = new AtomicLong();
  // Of each size class the blocks that are free, the last that was given back first: it is in
  // caches. A node is never used again, so a head that is the same is the same list.
  private final AtomicReferenceArray<Free> free = new AtomicReferenceArray<>(CLASSES);

  private record Free(MemorySegment block, Free next) {}

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
    MemorySegment block = poll(place(size));
    if (block != null) {
      kept.addAndGet(-size);
    } else {
      if (repeated.get() > 0) {
        // Blocks of other sizes, as a batch of other lengths left them, make room.
        releaseKept(room(size));
      }
      block = fromSystem(size);
      if (block == null) {
        releaseKept(0);
        block = fromSystem(size);
      }
      if (block == null) {
        throw new OutOfMemoryError(
            "allocate: no %d bytes of native memory; %d bytes are held by tensors. Close what is not"
                    .formatted(bytes, allocated.get())
                + " needed, use smaller batches, or lower -Xmx to leave more to native memory");
      }
    }
    long now = allocated.addAndGet(bytes);
    if (repeated.get() > 0) {
      most.accumulateAndGet(now, Math::max);
    }
    return block;
  }

  @Override
  public Repeated repeat() {
    if (repeated.getAndIncrement() == 0) {
      most.set(allocated.get());
    }
    AtomicBoolean open = new AtomicBoolean(true);
    return () -> {
      if (open.getAndSet(false) && repeated.decrementAndGet() == 0) {
        releaseKept(KEPT_BYTES);
      }
    };
  }

  /** A new block; null where there is not as much, though the system would promise it. */
  private static MemorySegment fromSystem(long size) {
    return size >= LARGE && size > HostMemory.freeBytes() ? null : CpuLibrary.allocate(size);
  }

  @Override
  public boolean adoptsInPlace() {
    return true;
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
      if (recorded != null) {
        recorded.fill(target, part, value);
      } else if (value == 0 && bytes >= MANY && (part.address() | bytes) % Long.BYTES == 0) {
        long[] words = {bytes / Long.BYTES};
        CpuIndexing.copy(ZERO, part, Long.BYTES, words, new long[] {0}, new long[] {1});
      } else {
        part.fill(value);
      }
    } finally {
      target.release();
    }
  }

  @Override
  public long allocatedBytes() {
    return allocated.get();
  }

  @Override
  public long freeBytes() {
    return HostMemory.freeBytes();
  }

  /** The memory of a buffer of this backend. */
  static MemorySegment segment(Buffer buffer) {
    return ((HostBuffer) buffer).segment();
  }

  /** Takes back what {@link #take} gave. */
  void giveBack(MemorySegment block, long bytes) {
    allocated.addAndGet(-bytes);
    long size = block.byteSize();
    if (kept.addAndGet(size) <= (repeated.get() > 0 ? room(0) : KEPT_BYTES)) {
      int place = place(size);
      Free next;
      do {
        next = free.get(place);
      } while (!free.compareAndSet(place, next, new Free(block, next)));
    } else {
      kept.addAndGet(-size);
      CpuLibrary.free(block);
    }
  }

  /**
   * The most bytes of blocks to keep while work repeats and so many are asked for: a quarter above
   * what was in use at a time, for not all sizes are in use at the same time.
   */
  private long room(long asked) {
    long largest = most.get();
    return Math.max(KEPT_BYTES, largest + largest / 4 - allocated.get() - asked);
  }

  /** A free block of a class, or null. */
  private MemorySegment poll(int place) {
    Free head;
    do {
      head = free.get(place);
      if (head == null) {
        return null;
      }
    } while (!free.compareAndSet(place, head, head.next));
    return head.block;
  }

  /**
   * Returns kept blocks to the system, the largest first, until no more than so many bytes stay.
   */
  private void releaseKept(long bytes) {
    for (int place = CLASSES - 1; place >= 0 && kept.get() > bytes; place--) {
      for (MemorySegment block; kept.get() > bytes && (block = poll(place)) != null; ) {
        kept.addAndGet(-block.byteSize());
        CpuLibrary.free(block);
      }
    }
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

  /** Which class a size is, from 0. */
  private static int place(long size) {
    if (size <= 256) {
      return (int) ((size - 1) / 64);
    }
    int power = 63 - Long.numberOfLeadingZeros(size - 1);
    return 4 * (power - 7) + (int) ((size - 1) >> power - 2) - 4;
  }
}
