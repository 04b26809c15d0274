package dev.gatun.kernels.api.memory;

import java.util.concurrent.atomic.AtomicInteger;

/**
 * A block of a backend's memory. Closing gives it back once no kernel uses it any more; a kernel
 * holds it between {@link #acquire} and {@link #release}.
 */
public abstract class Buffer implements AutoCloseable {
  private static final int CLOSED = 1 << 30;

  private final long byteSize;
  // The number of users, and CLOSED once close() was called.
  private final AtomicInteger state = new AtomicInteger();

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
    int now;
    do {
      now = state.get();
      if (now >= CLOSED) {
        throw new IllegalStateException("buffer of " + byteSize + " bytes is closed");
      }
    } while (!state.compareAndSet(now, now + 1));
  }

  /** Ends what {@link #acquire} began. */
  public final void release() {
    if (state.decrementAndGet() == CLOSED) {
      free();
    }
  }

  /** Closes the block; a second call does nothing. */
  @Override
  public final void close() {
    int now;
    do {
      now = state.get();
      if (now >= CLOSED) {
        return;
      }
    } while (!state.compareAndSet(now, now + CLOSED));
    if (now == 0) {
      free();
    }
  }
}
