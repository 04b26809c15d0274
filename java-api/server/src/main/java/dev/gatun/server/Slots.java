package dev.gatun.server;

import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

/** What a model computes at once. Who finds no room waits, in the order of arrival. */
final class Slots {
  private final Semaphore free;
  private final int count;
  private final AtomicInteger waiting = new AtomicInteger();

  /** Room that was given; closing it gives it back. */
  interface Lease extends AutoCloseable {
    @Override
    void close();
  }

  Slots(int count) {
    this.count = count;
    this.free = new Semaphore(count, true);
  }

  int running() {
    return count - free.availablePermits();
  }

  int waiting() {
    return waiting.get();
  }

  /**
   * Waits for room.
   *
   * @param asked for how many sequences; all that there are serve more than these
   * @throws ApiException when too many wait already, or when the time to wait is over
   * @throws InterruptedException when the call is to end
   */
  Lease acquire(int asked, ServerLimits limits) throws InterruptedException {
    int taken = Math.min(asked, count);
    if (!free.tryAcquire(taken, 0, TimeUnit.NANOSECONDS)) {
      await(taken, limits);
    }
    return new Lease() {
      private boolean given;

      @Override
      public void close() {
        if (!given) {
          given = true;
          free.release(taken);
        }
      }
    };
  }

  private void await(int taken, ServerLimits limits) throws InterruptedException {
    if (waiting.incrementAndGet() > limits.queueLength()) {
      waiting.decrementAndGet();
      throw ApiException.failed(
          503,
          "queue_full",
          "%d requests wait for this model already, which is the server's limit"
              .formatted(limits.queueLength()));
    }
    try {
      Duration time = limits.queueTime();
      if (!free.tryAcquire(taken, time.toNanos(), TimeUnit.NANOSECONDS)) {
        throw ApiException.failed(
            503,
            "queue_timeout",
            "the request waited for %s, which is the server's limit".formatted(Call.shown(time)));
      }
    } finally {
      waiting.decrementAndGet();
    }
  }
}
