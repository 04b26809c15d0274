package dev.gatun.generation;

import java.util.ArrayDeque;
import java.util.Queue;

/**
 * Runs a scheduler on a thread of its own, which begins with the first request. Requests come and
 * are cancelled from any thread.
 */
final class Engine implements AutoCloseable {
  private final Scheduler scheduler;
  private final Queue<Request> incoming = new ArrayDeque<>();
  private Thread thread;
  private boolean woken;
  private boolean closed;

  Engine(Scheduler scheduler) {
    this.scheduler = scheduler;
  }

  /**
   * Takes a request.
   *
   * @throws IllegalStateException when the engine is closed
   */
  synchronized void submit(Request request) {
    if (closed) {
      throw new IllegalStateException("the text generator is closed");
    }
    incoming.add(request);
    if (thread == null) {
      thread = Thread.ofPlatform().name("gatun-generator").daemon().unstarted(this::run);
      thread.start();
    }
    notifyAll();
  }

  /** Lets the thread look at what was cancelled. */
  synchronized void wake() {
    woken = true;
    notifyAll();
  }

  private void run() {
    RuntimeException reason = new IllegalStateException("the text generator was closed");
    try {
      while (take()) {
        scheduler.step();
      }
    } catch (RuntimeException | Error e) {
      reason = new IllegalStateException("the text generator failed: " + e, e);
      synchronized (this) {
        closed = true;
      }
    }
    scheduler.failAll(reason);
    synchronized (this) {
      for (Request request : incoming) {
        request.stream().fail(reason);
      }
      incoming.clear();
    }
  }

  /** Waits for something to do; false when there is to be no more. */
  private synchronized boolean take() {
    while (!closed && !woken && incoming.isEmpty() && scheduler.isIdle()) {
      try {
        wait();
      } catch (InterruptedException e) {
        // Nobody interrupts this thread but by mistake; it ends when the engine is closed.
        continue;
      }
    }
    woken = false;
    while (!incoming.isEmpty() && !closed) {
      scheduler.submit(incoming.poll());
    }
    return !closed;
  }

  /** Ends all requests after the step that is running. */
  @Override
  public void close() {
    Thread running;
    synchronized (this) {
      closed = true;
      notifyAll();
      running = thread;
    }
    boolean interrupted = false;
    while (running != null && running.isAlive() && running != Thread.currentThread()) {
      try {
        running.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
