package dev.gatun.kernels.api.memory;

import java.lang.foreign.MemorySegment;
import java.util.function.Consumer;

/** A block of host memory. */
public class HostBuffer extends Buffer {
  private final Memory memory;
  private final MemorySegment segment;
  private final Consumer<MemorySegment> free;

  /**
   * A block of host memory.
   *
   * @param memory the owner
   * @param segment exactly the block's bytes
   * @param free called with the segment when the block is given back
   */
  public HostBuffer(Memory memory, MemorySegment segment, Consumer<MemorySegment> free) {
    super(segment.byteSize());
    this.memory = memory;
    this.segment = segment;
    this.free = free;
  }

  @Override
  public final Memory memory() {
    return memory;
  }

  /** {@return the bytes; valid between {@link #acquire} and {@link #release}} */
  public final MemorySegment segment() {
    return segment;
  }

  @Override
  protected final void free() {
    free.accept(segment);
  }
}
