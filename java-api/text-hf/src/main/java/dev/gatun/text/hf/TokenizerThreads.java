package dev.gatun.text.hf;

import dev.gatun.text.CallerStack;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Threads that call the native tokenizers. The library ends the process where a call back into Java
 * finds no room on the stack, so that it never runs on a stack which a caller has filled; and DJL
 * looks for its files by the thread's context class loader, which callers may not have. A short
 * text, which takes less time than waking a thread and being woken, stays on the caller's where the
 * stack is known to have room.
 */
final class TokenizerThreads {
  private static final int STACK_BYTES = 8 << 20;
  private static final int PROBE_FRAMES = 256;

  /** Far more than the library and the JVM's guard pages take, half of what a thread gets. */
  private static final long ROOM_BYTES = 512 << 10;

  private static final ThreadPoolExecutor POOL = pool();

  private TokenizerThreads() {}

  private static ThreadPoolExecutor pool() {
    int threads = Runtime.getRuntime().availableProcessors();
    ThreadPoolExecutor pool =
        new ThreadPoolExecutor(
            threads, threads, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), factory());
    // An idle thread would keep the class loader of an application that is gone.
    pool.allowCoreThreadTimeOut(true);
    return pool;
  }

  private static ThreadFactory factory() {
    ThreadFactory plain =
        Thread.ofPlatform()
            .name("gatun-tokenizer-", 0)
            .daemon()
            .inheritInheritableThreadLocals(false)
            .stackSize(STACK_BYTES)
            .factory();
    return work -> {
      Thread thread = plain.newThread(work);
      thread.setContextClassLoader(TokenizerLibrary.loader());
      return thread;
    };
  }

  /**
   * What {@code work} returns, on the caller's thread where that has room, else on one of these.
   *
   * @param work that takes microseconds and needs no files
   * @throws Exception what {@code work} throws
   */
  static <T> T callShort(Callable<T> work) throws Exception {
    return CallerStack.hasRoom(ROOM_BYTES) ? work.call() : call(work);
  }

  /**
   * What {@code work} returns on one of the threads; interruption waits until it is done.
   *
   * @throws Exception what {@code work} throws
   */
  static <T> T call(Callable<T> work) throws Exception {
    // Where the caller's stack ends, it ends here, before anything is shared.
    probe(PROBE_FRAMES);
    FutureTask<T> task = new FutureTask<>(work);
    POOL.execute(task);
    try {
      return await(task);
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case Exception problem -> throw problem;
        case Error problem -> throw problem;
        case null, default -> throw e;
      }
    }
  }

  private static <T> T await(Future<T> task) throws ExecutionException {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException _) {
          interrupted = true;
        }
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  private static int probe(int frames) {
    return frames == 0 ? 0 : 1 + probe(frames - 1);
  }
}
