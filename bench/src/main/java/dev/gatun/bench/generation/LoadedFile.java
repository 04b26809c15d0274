package dev.gatun.bench.generation;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;

/** What is measured around the loading of a file. */
final class LoadedFile {
  private static final Linker LINKER = Linker.nativeLinker();
  private static final MethodHandle OPEN =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("open"),
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.JAVA_INT),
          Linker.Option.firstVariadicArg(2));
  private static final MethodHandle ADVISE =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("posix_fadvise"),
          FunctionDescriptor.of(
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_INT,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_LONG,
              ValueLayout.JAVA_INT));
  private static final MethodHandle CLOSE =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("close"),
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));

  private static final MethodHandle TRIM =
      LINKER.downcallHandle(
          LINKER.defaultLookup().findOrThrow("malloc_trim"),
          FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_LONG));

  /** POSIX_FADV_DONTNEED of Linux. */
  private static final int DONT_NEED = 4;

  private static final int EVERY_MILLIS = 2;

  /** Of the process before it loads anything. */
  private static final double AT_FIRST = anonymousBytes();

  private LoadedFile() {}

  /** Takes a file, or those of a directory, out of the system's cache. */
  static void forget(Path model) throws IOException {
    try (Stream<Path> files = Files.isDirectory(model) ? Files.list(model) : Stream.of(model);
        Arena arena = Arena.ofConfined()) {
      for (Path file : files.toList()) {
        int descriptor = (int) OPEN.invokeExact(arena.allocateFrom(file.toString()), 0);
        int status = (int) ADVISE.invokeExact(descriptor, 0L, 0L, DONT_NEED);
        int closed = (int) CLOSE.invokeExact(descriptor);
        if (descriptor < 0 || status != 0 || closed != 0) {
          throw new IOException(file + ": is not taken out of the system's cache");
        }
      }
    } catch (IOException | RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** Has the memory measured that the process has before it loads anything. */
  static void begin() {
    // What this class is made with.
  }

  /** Gives back what was freed before and the C library keeps. */
  private static void trim() {
    try {
      int _ = (int) TRIM.invokeExact(0L);
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** The most anonymous memory that this process has while it works, less what it had at first. */
  static double anonymousBytes(Callable<AutoCloseable> work) throws Exception {
    trim();
    AtomicBoolean done = new AtomicBoolean();
    double[] most = {0};
    Thread watcher =
        Thread.ofPlatform()
            .start(
                () -> {
                  while (!done.get()) {
                    most[0] = Math.max(most[0], anonymousBytes());
                    try {
                      Thread.sleep(EVERY_MILLIS);
                    } catch (InterruptedException e) {
                      return;
                    }
                  }
                });
    try (AutoCloseable _ = work.call()) {
      done.set(true);
      watcher.join();
      return Math.max(most[0], anonymousBytes()) - AT_FIRST;
    } finally {
      done.set(true);
    }
  }

  private static double anonymousBytes() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
      return lines
          .filter(line -> line.startsWith("RssAnon:"))
          .mapToDouble(line -> 1024 * Double.parseDouble(line.replaceAll("\\D", "")))
          .findAny()
          .orElseThrow(() -> new IllegalStateException("the status has no RssAnon"));
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }
}
