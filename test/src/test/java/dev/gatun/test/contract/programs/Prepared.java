package dev.gatun.test.contract.programs;

import dev.gatun.test.contract.cases.Draw;
import dev.gatun.test.contract.frame.Case;
import dev.gatun.test.contract.frame.Data;
import dev.gatun.test.contract.frame.Runs;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** A case whose operands are made, and what is right of it. */
record Prepared(Draw draw, Case made, Future<Runs.References> pending) {
  /**
   * What is right.
   *
   * @throws IllegalStateException when it could not be found out
   */
  Runs.References references() {
    try {
      return pending.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    } catch (ExecutionException e) {
      throw new IllegalStateException("the reference failed: " + e.getCause(), e.getCause());
    }
  }

  /** Cases in their order, made ahead on all processors, as many as a part of the heap holds. */
  static final class Queue implements AutoCloseable {
    // Of an element: a double in the operand and in what it was packed from, the same of the
    // oracle,
    // the bytes in the memory of each backend, and three results.
    private static final long BYTES_OF_ELEMENT = 64;

    private final Iterator<Draw> draws;
    private final ExecutorService workers;
    private final Deque<Prepared> ahead = new ArrayDeque<>();
    private final long most = Runtime.getRuntime().maxMemory() / 2;
    private final int mostCases;
    private long held;

    Queue(List<Draw> draws) {
      int threads = Runtime.getRuntime().availableProcessors();
      this.draws = draws.iterator();
      this.mostCases = 4 * threads;
      this.workers = Executors.newFixedThreadPool(threads, Thread.ofPlatform().daemon().factory());
    }

    boolean hasNext() {
      return !ahead.isEmpty() || draws.hasNext();
    }

    /** The next case, and begins with those behind it. */
    Prepared next() {
      while (draws.hasNext() && (ahead.isEmpty() || held < most && ahead.size() < mostCases)) {
        Draw draw = draws.next();
        Case made = draw.make();
        held += bytes(made);
        ahead.add(new Prepared(draw, made, workers.submit(() -> Runs.references(made))));
      }
      Prepared next = ahead.remove();
      held -= bytes(next.made);
      return next;
    }

    private static long bytes(Case c) {
      return BYTES_OF_ELEMENT * c.data().stream().mapToLong(Data::count).sum();
    }

    @Override
    public void close() {
      workers.shutdownNow();
    }
  }
}
