package dev.gatun.text.hf;

import java.util.concurrent.atomic.AtomicLong;

/**
 * Looks for room in the heap before a native call that makes objects there: the library ends the
 * process where such an object cannot be had. What is missing is an OutOfMemoryError before the
 * call. Calls that run at the same time count; what other code takes meanwhile cannot be seen.
 */
final class HeapRoom implements AutoCloseable {
  private static final AtomicLong CLAIMED = new AtomicLong();
  private static final int PART = 1 << 20;

  /** With that much besides, and no large object, there is no need to look. */
  private static final long PLENTY = 64L << 20;

  /** Written so that the compiler keeps the arrays. */
  private static volatile Object probe;

  private final long bytes;

  private HeapRoom(long bytes) {
    this.bytes = bytes;
  }

  /**
   * Room for objects of {@code bytes} until it is closed.
   *
   * @throws OutOfMemoryError if the heap has none
   */
  static HeapRoom claim(long bytes) {
    HeapRoom room = new HeapRoom(bytes);
    long all = CLAIMED.addAndGet(bytes);
    try {
      look(all);
      return room;
    } catch (OutOfMemoryError e) {
      room.close();
      OutOfMemoryError told =
          new OutOfMemoryError(
              "Java heap space: tokens of a text need %d bytes; give the JVM more by -Xmx, or"
                      .formatted(all)
                  + " shorter texts");
      told.initCause(e);
      throw told;
    }
  }

  private static boolean plenty(long bytes) {
    Runtime heap = Runtime.getRuntime();
    long free = heap.maxMemory() - heap.totalMemory() + heap.freeMemory();
    return bytes < PART && free > PLENTY;
  }

  private static void look(long bytes) {
    if (plenty(bytes)) {
      return;
    }
    byte[][] parts = new byte[Math.toIntExact(Math.ceilDiv(bytes, PART))][];
    probe = parts;
    for (int i = 0; i < parts.length; i++) {
      parts[i] = new byte[(int) Math.min(PART, bytes - (long) i * PART)];
    }
    probe = null;
  }

  @Override
  public void close() {
    CLAIMED.addAndGet(-bytes);
  }
}
