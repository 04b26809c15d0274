package dev.gatun.server;

import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Calls back when a time is over, on a thread of its own: what it calls does not block. */
final class Clock implements AutoCloseable {
  private final ScheduledThreadPoolExecutor timer =
      new ScheduledThreadPoolExecutor(
          1, Thread.ofPlatform().name("gatun-server-clock").daemon().factory());

  Clock() {
    timer.setRemoveOnCancelPolicy(true);
  }

  Future<?> after(Duration time, Runnable call) {
    return timer.schedule(call, time.toNanos(), TimeUnit.NANOSECONDS);
  }

  void every(Duration time, Runnable call) {
    timer.scheduleWithFixedDelay(call, time.toNanos(), time.toNanos(), TimeUnit.NANOSECONDS);
  }

  @Override
  public void close() {
    timer.shutdownNow();
  }
}
