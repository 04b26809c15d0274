package dev.gatun.bench;

import java.time.Duration;

/**
 * Waits until no process of the benchmark works: a library's pool of threads may look for more work
 * for half a second after a turn, on the cores of the turn that follows.
 */
final class Rest {
  private static final Duration GLANCE = Duration.ofMillis(50);

  /** What a process at rest may use of a glance: the ticks of the system's clock are as coarse. */
  private static final Duration IDLE = Duration.ofMillis(10);

  private static final int MOST_GLANCES = 100;

  private Rest() {}

  /** Waits for rest, five seconds at most. */
  static void await() throws InterruptedException {
    Duration before = used();
    for (int i = 0; i < MOST_GLANCES; i++) {
      Thread.sleep(GLANCE);
      Duration now = used();
      if (now.minus(before).compareTo(IDLE) <= 0) {
        return;
      }
      before = now;
    }
  }

  private static Duration used() {
    return ProcessHandle.current()
        .descendants()
        .flatMap(process -> process.info().totalCpuDuration().stream())
        .reduce(Duration.ZERO, Duration::plus);
  }
}
