package dev.gatun.kernels.api.memory;

import java.lang.foreign.MemorySegment;

/** A backend's memory. Safe for use by many threads. */
public interface Memory {
  /** {@return the device as users name it: {@code cpu}, {@code cuda:0}} */
  String device();

  /**
   * {@return a block with undefined contents, aligned to 64 bytes}
   *
   * @param bytes its size
   * @throws OutOfMemoryError naming the bytes asked and held
   */
  Buffer allocate(long bytes);

  /**
   * {@return a block with the contents of host memory, read only: the memory itself where the
   * device can use it in place, else a copy} The segment must stay alive as long as the block.
   *
   * @param source host memory
   */
  Buffer adopt(MemorySegment source);

  /** {@return whether {@link #adopt} gives the memory itself} */
  default boolean adoptsInPlace() {
    return false;
  }

  /**
   * Copies host memory into the block at a byte offset, ahead of all that is asked of the device
   * later. The source may change on return.
   *
   * @param source what is copied, whole
   * @param target the block
   * @param offset the first byte's place in it
   */
  void write(MemorySegment source, Buffer target, long offset);

  /**
   * Sets bytes of the block, ahead of all that is asked of the device later.
   *
   * @param target the block
   * @param offset the first byte's place in it
   * @param bytes how many
   * @param value of each byte
   * @throws IndexOutOfBoundsException when they are not all in the block
   */
  void fill(Buffer target, long offset, long bytes, byte value);

  /**
   * Copies from the block at a byte offset into host memory; complete on return.
   *
   * @param source the block
   * @param offset the first byte's place in it
   * @param target filled, whole
   */
  void read(Buffer source, long offset, MemorySegment target);

  /** {@return the bytes of all blocks that are allocated and not yet given back} */
  long allocatedBytes();

  /**
   * {@return the bytes that the device can give without taking them from other processes; {@link
   * Long#MAX_VALUE} where that is not known}
   */
  long freeBytes();

  /** Work whose blocks come again; see {@link Memory#repeat}. */
  interface Repeated extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Says that the same blocks will be asked for again and again, as by the steps of a training:
   * until the result is closed, what is given back is kept for the next request rather than
   * returned to the system, as long as no more is held in all than a quarter above what was in use
   * at a time.
   *
   * @return what ends it
   */
  default Repeated repeat() {
    return () -> {};
  }

  /** {@return what is allocated and what is kept for later, for people} */
  default String usage() {
    return allocatedBytes() + " bytes are held by tensors";
  }
}
