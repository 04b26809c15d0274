package dev.gatun.kernels.api.memory;

import java.lang.foreign.MemorySegment;

/** A backend's memory. Safe for use by many threads. */
public interface Memory {
  /** The device as users name it: {@code cpu}, {@code cuda:0}. */
  String device();

  /**
   * A block with undefined contents, aligned to 64 bytes.
   *
   * @throws OutOfMemoryError naming the bytes asked and held
   */
  Buffer allocate(long bytes);

  /**
   * A block with the contents of host memory, read only: the memory itself where the device can use
   * it in place, else a copy. The segment must stay alive as long as the block.
   */
  Buffer adopt(MemorySegment source);

  /**
   * Copies host memory into the block at a byte offset, ahead of all that is asked of the device
   * later. The source may change on return.
   */
  void write(MemorySegment source, Buffer target, long offset);

  /** Copies from the block at a byte offset into host memory; complete on return. */
  void read(Buffer source, long offset, MemorySegment target);

  /** Bytes of all blocks that are allocated and not yet given back. */
  long allocatedBytes();

  /** What is allocated and what is kept for later, for people. */
  default String usage() {
    return allocatedBytes() + " bytes are held by tensors";
  }
}
