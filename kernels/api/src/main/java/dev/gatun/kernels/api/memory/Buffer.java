package dev.gatun.kernels.api.memory;

import java.util.concurrent.atomic.AtomicLong;

/**
 * A block of a backend's memory. Closing gives it back once no kernel uses it any more; a kernel
 * holds it between {@link #acquire} and {@link #release}. It may have several owners, each of whom
 * closes it once.
 */
public abstract class Buffer implements AutoCloseable {
  private static final long CLOSED = 1L << 62;
  // What an owner beside the first counts for.
  private static final long OWNER = 1L << 32;

  private final long byteSize;
  // The number of users, that of owners beside the first, and CLOSED once all have closed it.
  private final AtomicLong state = new AtomicLong();

  /**
   * A block.
   *
   * @param byteSize how many bytes it has
   */
  protected Buffer(long byteSize) {
    if (byteSize < 0) {
      throw new IllegalArgumentException("buffer of " + byteSize + " bytes: must not be negative");
    }
    this.byteSize = byteSize;
  }

  /** {@return the size in bytes} */
  public final long byteSize() {
    return byteSize;
  }

  /** {@return the memory that this block belongs to} */
  public abstract Memory memory();

  /** Gives the block back to its memory; called once, when closed and unused. */
  protected abstract void free();

  /** {@return whether it has more owners than one} */
  public final boolean isShared() {
    long now = state.get();
    return now < CLOSED && now >= OWNER;
  }

  /** {@return whether it was given back} */
  public final boolean isClosed() {
    return state.get() >= CLOSED;
  }

  /**
   * Keeps the block alive until {@link #release}.
   *
   * @throws IllegalStateException when it is closed
   */
  public final void acquire() {
    add(1);
  }

  /**
   * Gives the block another owner, so that it is closed when each of them has.
   *
   * @throws IllegalStateException when it is closed
   */
  public final void share() {
    add(OWNER);
  }

  private void add(long users) {
    long now;
    do {
      now = state.get();
      if (now >= CLOSED) {
        throw new IllegalStateException("buffer of " + byteSize + " bytes is closed");
      }
    } while (!state.compareAndSet(now, now + users));
  }

  /** Ends what {@link #acquire} began. */
  public final void release() {
    if (state.decrementAndGet() == CLOSED) {
      free();
    }
  }

  /** Ends an owner's hold; the last one's closes the block, and another call does nothing. */
  @Override
  public void close() {
    long now;
    do {
      now = state.get();
      if (now >= CLOSED) {
        return;
      }
    } while (!state.compareAndSet(now, now >= OWNER ? now - OWNER : now + CLOSED));
    if (now == 0) {
      free();
    }
  }
}
