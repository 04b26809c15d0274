package dev.gatun.server;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** How much of the heap bodies may take together; what is made of them takes many times that. */
final class BodyRoom {
  private static final int UNIT = 1024;

  /** Small arrays in each other are some 20 times as large as their text. */
  private static final int SHARE = 32;

  private final int count =
      (int) Math.min(1 << 30, Runtime.getRuntime().maxMemory() / SHARE / UNIT);
  private final Semaphore free = new Semaphore(count, true);

  /**
   * Waits for room.
   *
   * @param bytes of a body
   * @return gives it back
   * @throws ApiException when it takes too long
   * @throws InterruptedException when the call is to end
   */
  Runnable acquire(long bytes, Duration time) throws InterruptedException {
    int taken = (int) Math.min(count, Math.ceilDiv(bytes, UNIT));
    if (!free.tryAcquire(taken, time.toNanos(), TimeUnit.NANOSECONDS)) {
      throw ApiException.failed(
          503, "queue_timeout", "the bodies of other requests take all the memory for them");
    }
    return () -> free.release(taken);
  }
}
